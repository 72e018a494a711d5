// Limits over several processes, some of which are killed: measured by what their runs wrote down.

import { expect, test } from '@jest/globals';
import { waitFor, type SpawnedProcess } from '@perdure/testing';
import { contract, queue } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const measured = contract<string>('measured');
const limits = {
  concurrency: 12,
  executorConcurrency: 5,
  perKey: { concurrency: 2 },
  rateLimit: { limit: 150, per: '250ms' },
} as const;
const count = 2_000;
const keys = 16;

test('all limits of a queue hold exactly over processes that are killed and replaced [109, 110, 111, 118, 119, 122, 132]', async () => {
  await db.query(
    `create table effects (effect serial primary key, run_id text, key text, pid int,
                           began_at timestamptz default clock_timestamp(), ended_at timestamptz)`,
  );
  const work = queue('work', limits);
  const manager = await db.launchEngine({ queues: [work] });
  const worker = async (): Promise<SpawnedProcess> => {
    const child = db.spawn('queue-worker', { env: { EFFECTS_URL: db.url } });
    await child.message('launched', { timeoutMs: 30_000 });
    return child;
  };
  const ended = async (): Promise<number> =>
    Number(
      (await db.query<{ runs: string }>(`select count(*) as runs from perdure.runs where status = 'succeeded'`))[0]
        ?.runs,
    );
  const workers = await Promise.all([worker(), worker(), worker(), worker()]);

  await manager.startWorkflows(
    measured,
    Array.from({ length: count }, (_, index) => {
      const key = `key ${index % keys}`;
      return { input: key, partitionKey: key, queue: work };
    }),
  );
  for (const [index, child] of workers.slice(0, 2).entries()) {
    const most = ((index + 1) * count) / 4;
    await waitFor(ended, { what: `${most} runs to end`, timeoutMs: 100_000, until: (runs) => runs >= most });
    child.kill('SIGKILL');
    await worker();
  }
  await waitFor(ended, { what: 'all runs to end', timeoutMs: 100_000, until: (runs) => runs === count });

  expect(await mostAtOnce('1')).toBeLessThanOrEqual(limits.concurrency);
  expect(await mostAtOnce('1')).toBeGreaterThan(limits.executorConcurrency);
  expect(await mostAtOnce('key')).toBeLessThanOrEqual(limits.perKey.concurrency);
  expect(await mostAtOnce('pid')).toBeLessThanOrEqual(limits.executorConcurrency);
  expect(await mostInWindow(250)).toBeLessThanOrEqual(limits.rateLimit.limit);
  expect(await manager.queues.get(work)).toMatchObject({ counts: { ready: 0, delayed: 0, running: 0, waiting: 0 } });
}, 240_000);

// The longest pile of overlapping effects of one group. Those of killed processes have no end, and are left out.
async function mostAtOnce(group: string): Promise<number> {
  const rows = await db.query<{ most: number }>(
    `select max(running)::int4 as most from (
       select sum(change) over (partition by ${group} order by at, change rows unbounded preceding) as running
       from (select key, pid, began_at as at, 1 as change from effects where ended_at is not null
             union all
             select key, pid, ended_at, -1 from effects where ended_at is not null) changes) piles`,
  );
  return rows[0]?.most ?? 0;
}

async function mostInWindow(ms: number): Promise<number> {
  const rows = await db.query<{ most: number }>(
    `select max(starts)::int4 as most from (
       select count(*) over (order by started_at range between current row and ($1 * interval '1 microsecond') following) as starts
       from perdure.runs) windows`,
    [ms * 1_000 - 1],
  );
  return rows[0]?.most ?? 0;
}

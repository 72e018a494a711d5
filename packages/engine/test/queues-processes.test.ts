// Limits over several processes, some of which are killed: measured by what their runs wrote down.

import { expect, test } from '@jest/globals';
import { waitFor, type SpawnedProcess } from '@perdure/testing';
import { contract, queue } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const measured = contract<string>('measured');
// The full size, `npm run test:limits`: each limit by itself as well, 20,000 runs on 8 processes.
const count = Number(process.env['PERDURE_LIMITED_RUNS'] || 2_000);
const isFull = count > 2_000;
const processes = isFull ? 8 : 4;
const kills = isFull ? 12 : 2;
const keys = 16;

interface Limits {
  readonly concurrency?: number;
  readonly executorConcurrency?: number;
  readonly perKey?: { readonly concurrency: number };
  readonly rateLimit?: { readonly limit: number; readonly per: number };
}

const together: Limits = {
  concurrency: 12,
  executorConcurrency: 5,
  perKey: { concurrency: 2 },
  rateLimit: { limit: 150, per: 250 },
};
const alone: readonly (readonly [string, Limits])[] = [
  ['a queue', { concurrency: 20 }],
  ['an executor', { executorConcurrency: 3 }],
  ['each key', { perKey: { concurrency: 2 } }],
  ['the rate', { rateLimit: { limit: 200, per: 250 } }],
];
const cases: readonly (readonly [string, Limits])[] = [['all', together], ...(isFull ? alone : [])];

test.each(cases)(
  'the limit of %s holds exactly over processes that are killed and replaced [109, 110, 111, 118, 119, 122, 132]',
  async (name, limits) => {
    await db.query('drop table if exists effects');
    await db.query('truncate perdure.runs, perdure.steps, perdure.queue_admissions');
    await db.query(
      `create table effects (effect serial primary key, run_id text, key text, pid int,
                             began_at timestamptz default clock_timestamp(), ended_at timestamptz)`,
    );
    const work = queue(name, limits);
    const manager = await db.launchEngine({ queues: [work] });
    const workers = await Promise.all(Array.from({ length: processes }, launchWorker));

    await manager.startWorkflows(
      measured,
      Array.from({ length: count }, (_, index) => {
        const key = `key ${index % keys}`;
        return { input: key, partitionKey: key, queue: work };
      }),
    );
    for (let kill = 1; kill <= kills; kill += 1) {
      const most = Math.floor((kill * count) / (kills + 2));
      await waitFor(ended, { what: `${most} runs to end`, timeoutMs: 200_000, until: (runs) => runs >= most });
      workers.shift()?.kill('SIGKILL');
      workers.push(await launchWorker());
    }
    await waitFor(ended, { what: 'all runs to end', timeoutMs: 200_000, until: (runs) => runs === count });

    const most = {
      concurrency: await mostAtOnce('1'),
      executorConcurrency: await mostAtOnce('pid'),
      perKey: await mostAtOnce('key'),
      inWindow: await mostInWindow(250),
    };
    expect(most.concurrency).toBeLessThanOrEqual(limits.concurrency ?? Infinity);
    expect(most.concurrency).toBeGreaterThan(limits.executorConcurrency ?? 1);
    expect(most.executorConcurrency).toBeLessThanOrEqual(limits.executorConcurrency ?? Infinity);
    expect(most.perKey).toBeLessThanOrEqual(limits.perKey?.concurrency ?? Infinity);
    expect(most.inWindow).toBeLessThanOrEqual(limits.rateLimit?.limit ?? Infinity);
    expect(await manager.queues.get(work)).toMatchObject({
      counts: { ready: 0, delayed: 0, running: 0, waiting: 0 },
    });
  },
  480_000,
);

async function launchWorker(): Promise<SpawnedProcess> {
  const child = db.spawn('queue-worker', { env: { EFFECTS_URL: db.url } });
  await child.message('launched', { timeoutMs: 60_000 });
  return child;
}

async function ended(): Promise<number> {
  const [row] = await db.query<{ runs: string }>(
    `select count(*) as runs from perdure.runs where status = 'succeeded'`,
  );
  return Number(row?.runs);
}

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

// A run in a backlog kills whoever executes it. It fails in the end, and the others do not fail with it, or wait for it.

import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { contract, queue, workflow } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const backlog = queue('backlog');
const count = 900;
// Behind what the first claim takes, which is committed before its runs begin.
const deadly = 700;
const maxRecoveries = 4;

test('a run that kills its process fails past the limit, and those beside it succeed', async () => {
  const lease = { lease: '500ms', pollInterval: '100ms', maxRecoveries } as const;
  const client = await db.launchEngine({ ...lease, queues: [backlog] });
  await client.startWorkflows(
    contract<number>('poisoned'),
    Array.from({ length: count }, (_, input) => ({ input, queue: backlog })),
  );

  let deaths = 0;
  const keepAlive = async (): Promise<void> => {
    for (; !(await isOver()); deaths += 1) {
      const worker = db.spawn('poisoned', { engine: lease, env: { DEADLY: String(deadly) } });
      await Promise.race([worker.exited, whenOver()]);
    }
  };
  const isOver = async (): Promise<boolean> =>
    (await db.query('select from perdure.runs where finished_at is null limit 1')).length === 0;
  const whenOver = (): Promise<unknown> => waitFor(isOver, { what: 'all runs to end', timeoutMs: 60_000 });
  await keepAlive();

  expect(
    await db.query(
      `select status, count(*)::int4 as runs, min(input::int) as first from perdure.runs group by status order by status`,
    ),
  ).toEqual([
    { status: 'failed', runs: 1, first: deadly },
    { status: 'succeeded', runs: count - 1, first: 0 },
  ]);
  expect(await db.query('select recoveries, error from perdure.runs where input = $1', [String(deadly)])).toEqual([
    { recoveries: maxRecoveries + 1, error: expect.stringContaining('RUN_CRASH_LIMIT') },
  ]);
  expect(deaths).toBeGreaterThanOrEqual(maxRecoveries + 1);
}, 90_000);

test('runs that are claimed one by one, because their owners died, keep no others waiting', async () => {
  const echo = workflow('echo', async (n: number) => n);
  await db.query(
    `insert into perdure.runs (id, workflow, status, epoch, input, due_at, crashes, started_at)
     select 'suspect ' || n, 'echo', 'waiting', 2, '1', now() - interval '1 second', 2, now() from generate_series(1, 1500) n`,
  );
  await db.query(
    `insert into perdure.runs (id, workflow, status, input, due_at) values ('fresh', 'echo', 'queued', '2', now())`,
  );
  const engine = await db.launchEngine({ workflows: [echo] });

  expect(await engine.getHandle('fresh').result()).toBe(2);
  const [ended] = await db.query<{ runs: number }>(
    `select count(*)::int4 as runs from perdure.runs where id like 'suspect%' and finished_at is not null`,
  );
  expect(ended?.runs).toBeLessThan(200);
  await waitFor(() => db.query(`select from perdure.runs where id like 'suspect%' and finished_at is not null`), {
    what: 'others to go on',
    until: ({ length }) => length > 20,
  });
  await db.query(`delete from perdure.runs where id like 'suspect%' and status = 'waiting'`);
});

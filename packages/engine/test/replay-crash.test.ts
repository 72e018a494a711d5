// The same with real crashes: a process is killed between two statements of its journal, another goes on with its runs.

import { expect, test } from '@jest/globals';
import { historyOf } from './support/histories.js';
import { Executions, faultsOf, finish } from './support/interrupted-run.js';
import { replayWorkflows } from './support/replay-workflows.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

const killedAt = ['before', 'after'].flatMap((side) =>
  [2, 4, 7, 11, 16].map((batch) => `${side}:perdure_write_batch:${batch}`),
);

test.each(killedAt)(
  'runs whose process is killed %s go on elsewhere as if nothing had happened [1, 176, 177, 178, 186]',
  async (crashAt) => {
    const child = db.spawn('replay-worker', { args: [crashAt], crashAt });
    expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
    const rows = await db.query<{ id: string }>(`select id from perdure.runs where id like $1`, [`${crashAt} %`]);
    const left = await Promise.all(rows.map(async ({ id }) => [id, await historyOf(db, id)] as const));
    const executions = new Executions();
    const engine = await db.launchEngine({ workflows: replayWorkflows(executions.note), pollInterval: '50ms' });

    const faults = left.map(async ([id, before]) => {
      const run = await finish(db, engine, executions, id);
      return faultsOf(before, run).map((fault) => `${id}: ${fault}`);
    });

    expect((await Promise.all(faults)).flat()).toEqual([]);
    expect(left.length).toBeGreaterThan(0);
  },
);

test('runs that are taken over again and again while they execute come out as if nothing had happened [4, 176]', async () => {
  const executions = new Executions();
  const workflows = replayWorkflows(executions.note);
  const [engine] = await Promise.all([1, 2].map(() => db.launchEngine({ workflows, pollInterval: '20ms' })));
  if (engine === undefined) throw new Error('no engine');
  const ids = [1, 2, 3].flatMap((round) => workflows.map(({ name }) => `taken ${round} ${name}`));
  await Promise.all(
    ids.map((id) => {
      const [workflow] = workflows.filter(({ name }) => id.endsWith(` ${name}`));
      if (workflow === undefined) throw new Error(`no workflow for ${id}`);
      return engine.startWorkflow(workflow, undefined, { id });
    }),
  );

  const outcomes = ids.map((id) => finish(db, engine, executions, id));
  for (let takeover = 1; takeover <= 5; takeover++) await db.query(`select pg_sleep(0.05)`).then(declareAllDead);
  const runs = await Promise.all(outcomes);

  expect(runs.flatMap((run) => faultsOf([], run))).toEqual([]);
  const taken = await db.query(`select id from perdure.runs where id like 'taken %' and recoveries > 0`);
  expect(taken).not.toEqual([]);
});

async function declareAllDead(): Promise<void> {
  await db.query(`update perdure.executors set dead_at = now() where dead_at is null`);
}

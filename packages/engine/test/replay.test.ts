// Replay against the real engine: whatever a run has recorded when it is interrupted, it goes on as if it had not been.

import { describe, expect, test } from '@jest/globals';
import { copyRun } from './support/histories.js';
import { Executions, faultsOf, finish } from './support/interrupted-run.js';
import { replayWorkflows } from './support/replay-workflows.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const schedules = [1, 2, 3, 4];

describe.each(replayWorkflows(() => undefined).map(({ name }) => name))('the workflow %s', (name) => {
  test.each(schedules)(
    'goes on exactly after an interruption at every length of its history, schedule %i [54, 176, 177, 178]',
    async (schedule) => {
      const executions = new Executions();
      const workflows = replayWorkflows(executions.note);
      const engine = await db.launchEngine({ workflows, pollInterval: '50ms' });
      const [workflow] = workflows.filter((one) => one.name === name);
      if (workflow === undefined) throw new Error(`no workflow ${name}`);
      const { id } = await engine.startWorkflow(workflow, undefined, { id: `${name} ${schedule}` });
      const first = await finish(db, engine, executions, id);

      const interruptions = [...first.history.keys(), first.history.length].map(async (length) => {
        const copyId = `${id} after ${length}`;
        await copyRun(db, id, copyId, length);
        const resumed = await finish(db, engine, executions, copyId);
        return faultsOf(first.history.slice(0, length), resumed);
      });

      expect(faultsOf([], first)).toEqual([]);
      expect((await Promise.all(interruptions)).flat()).toEqual([]);
    },
  );

  test('makes the same of its whole history, and executes nothing [48, 176]', async () => {
    const executions = new Executions();
    const workflows = replayWorkflows(executions.note);
    const engine = await db.launchEngine({ workflows, pollInterval: '50ms' });
    const [workflow] = workflows.filter((one) => one.name === name);
    if (workflow === undefined) throw new Error(`no workflow ${name}`);
    const { id } = await engine.startWorkflow(workflow, undefined, { id: `${name} whole` });
    const first = await finish(db, engine, executions, id);

    await copyRun(db, id, `${id} again`, first.history.length);
    const again = await finish(db, engine, executions, `${id} again`);

    expect(again).toEqual({ ...first, executed: [] });
  });
});

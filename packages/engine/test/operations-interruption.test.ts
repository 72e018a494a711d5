// What others do to a run while its owner holds it in memory.

import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { patched, runStep, sleep, workflow } from '../src/index.js';
import { gate } from './support/gate.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

test('a run that was cancelled and resumed is not cut off when its owner hears of the cancellation later [139]', async () => {
  const gates = [gate(), gate()];
  let calls = 0;
  const job = workflow('resumed', () => runStep('work', () => gates[calls++]?.opened.then(() => 'done')));
  const owner = await db.launchEngine({ workflows: [job] });
  const manager = await db.launchEngine();
  const run = await owner.startWorkflow(job);
  await waitFor(() => calls === 1, { what: 'the step to begin' });

  await manager.runs.cancel(run.id);
  await manager.runs.resume(run.id);
  await waitFor(() => calls === 2, { what: 'the run to be claimed again' });
  await waitFor(
    async () => (await db.query(`select 1 from perdure.executors where interrupted_runs <> '{}'`)).length === 0,
    { what: 'the owner to have heard of the cancellation' },
  );
  gates[1]?.open();

  expect(await manager.getHandle(run.id).result()).toBe('done');
});

test('what a run records before its start is committed is not refused [6]', async () => {
  const job = workflow('patched first', async () => {
    const isPatched = patched('change');
    await sleep(0);
    return runStep('work', () => isPatched);
  });
  const engine = await db.launchEngine({ workflows: [job] });

  const run = await engine.startWorkflow(job);
  await run.result();

  expect(await engine.runs.get(run.id)).toMatchObject({ epoch: 1, status: 'succeeded' });
  expect(await engine.runs.steps(run.id)).toMatchObject([{ kind: 'patch' }, { kind: 'sleep' }, { kind: 'step' }]);
});

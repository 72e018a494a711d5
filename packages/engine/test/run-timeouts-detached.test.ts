// Runs that are to outlive the deadline of the run that starts them.

import { expect, test } from '@jest/globals';
import { runStep, startWorkflow, workflow } from '../src/index.js';
import { gate } from './support/gate.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

test('a child that is started with the timeout null outlives the deadline of its parent [72]', async () => {
  const end = gate();
  const child = workflow('outlives', () => runStep('work', () => end.opened.then(() => 'late')), { timeout: 100 });
  const parent = workflow('is outlived', async () => {
    await startWorkflow(child, undefined, { timeout: null, id: 'outliving child' });
    await new Promise(() => undefined);
  });
  const engine = await db.launchEngine({ workflows: [child, parent] });
  const run = await engine.startWorkflow(parent, undefined, { timeout: 300 });

  await perdureErrorOf(run.result(), 'RUN_TIMED_OUT');
  end.open();

  expect(await engine.getHandle('outliving child').result()).toBe('late');
  expect((await engine.runs.get('outliving child'))?.deadlineAt).toBeUndefined();
});

test('a delayed child that is detached has no deadline when it is claimed [72]', async () => {
  const child = workflow('delayed and detached', async () => 'done', { timeout: '1h' });
  const parent = workflow('delays', () => startWorkflow(child, undefined, { timeout: null, delay: 50 }));
  const engine = await db.launchEngine({ workflows: [child, parent] });
  const run = await engine.startWorkflow(parent, undefined, { timeout: '1 day' });

  const childId = await run.result();

  expect(await engine.getHandle(childId).result()).toBe('done');
  expect((await engine.runs.get(childId))?.deadlineAt).toBeUndefined();
});

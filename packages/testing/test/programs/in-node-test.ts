// A test file of node:test, which has no global hooks.

import { deepEqual, equal } from 'node:assert/strict';
import { after, test } from 'node:test';
import { createTestEngine } from '@perdure/testing';
import { runStep, sleep, workflow } from 'perdure';

const remind = workflow('remind', async () => {
  await sleep('30 days');
  return runStep('remind', () => 'reminded');
});
const { engine, close, stepsOf } = await createTestEngine({ workflows: [remind], time: 'skipping' });
after(close);

void test('a month passes', async () => {
  const run = await engine.startWorkflow(remind);

  equal(await run.result(), 'reminded');
  deepEqual(
    (await stepsOf(run)).map(({ name }) => name),
    ['sleep', 'remind'],
  );
});

// What stands around the attempts of steps.

import { expect, test } from '@jest/globals';
import { currentStep, runStep, step, workflow, type AroundStep, type StepAttempt } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

const add = step('add', async (a: number, b: number) => a + b);
const sums = workflow('sums', async () => [await add(1, 2), await runStep('inline', () => 4)]);

test('it sees each attempt with its arguments, and the result is what it returns', async () => {
  const seen: StepAttempt[] = [];
  const aroundStep: AroundStep = async (attempt, body) => {
    seen.push(attempt);
    return Number(await body()) * 10;
  };
  const engine = await db.launchEngine({ workflows: [sums], aroundStep });

  const run = await engine.startWorkflow(sums);

  expect(await run.result()).toEqual([30, 40]);
  const same = { runId: run.id, workflow: 'sums', attempt: 1 };
  expect(seen).toEqual([
    { ...same, step: 'add', args: [1, 2] },
    { ...same, step: 'inline', args: [] },
  ]);
});

test('what it throws is a failed attempt, and it is asked again for the next', async () => {
  const aroundStep: AroundStep = (_attempt, body) => {
    if (currentStep().attempt === 1) throw new Error('not yet');
    return body();
  };
  const engine = await db.launchEngine({ workflows: [], aroundStep });
  const retrying = workflow('retrying', async () => runStep('call', () => 'done', { retry: { delay: 1 } }));
  engine.register(retrying);

  const run = await engine.startWorkflow(retrying);

  expect(await run.result()).toBe('done');
});

// What a test can know of its engine, and do to it.

import { expect, test } from '@jest/globals';
import { isPerdureError, runStep, sleep, step, workflow } from 'perdure';
import { createTestEngine, waitFor } from '../src/index.js';

const executed: string[] = [];
const charge = step('charge', async (id: string, cents: number) => {
  executed.push(id);
  return `${id} paid ${cents}`;
});
const checkout = workflow('checkout', async (id: string) => {
  const receipt = await charge(id, 500);
  await sleep('1 day');
  return [receipt, await runStep('ship', () => `${id} shipped`)];
});

test('the steps of a run tell their names, results and attempts', async () => {
  let calls = 0;
  const flaky = (): string => {
    calls += 1;
    if (calls < 3) throw new Error('not yet');
    return 'done';
  };
  const retrying = workflow('retrying', async () => runStep('flaky', flaky, { retry: { delay: '1h' } }));
  const { engine, stepsOf } = await createTestEngine({ workflows: [retrying], time: 'skipping' });
  const run = await engine.startWorkflow(retrying);

  await run.result();

  expect(await stepsOf(run)).toMatchObject([{ name: 'flaky', output: 'done', attempts: 3 }]);
});

test('a test waits for a step and for a status', async () => {
  const { engine, clock, waitForStatus, waitForStep } = await createTestEngine({ workflows: [checkout] });
  const run = await engine.startWorkflow(checkout, 'waited');

  const paid = await waitForStep(run, 'charge');
  await waitForStatus(run, 'waiting');
  await clock.advance('1 day');

  expect([paid.output, await run.status()]).toEqual(['waited paid 500', 'succeeded']);
});

test('a step that did its work before a crash and was not recorded is executed again', async () => {
  const { engine, crashAt } = await createTestEngine({ workflows: [checkout], time: 'skipping' });
  const crashed = crashAt(charge);

  const run = await engine.startWorkflow(checkout, 'crashed');
  await crashed;

  expect(await run.result()).toEqual(['crashed paid 500', 'crashed shipped']);
  expect(executed.filter((id) => id === 'crashed')).toHaveLength(2);
});

test('what was recorded before a crash is not executed again', async () => {
  const { engine, crash, waitForStep, clock } = await createTestEngine({ workflows: [checkout], parkAfter: '2 days' });
  const run = await engine.startWorkflow(checkout, 'recorded');
  await waitForStep(run, 'charge');

  await crash();
  await clock.advance('1 day');

  expect(await run.result()).toEqual(['recorded paid 500', 'recorded shipped']);
  expect(executed.filter((id) => id === 'recorded')).toHaveLength(1);
});

test('another engine takes over what a crashed one was executing', async () => {
  const holder: string[] = [];
  const held = workflow('held', async () => {
    await runStep('hold', async () => {
      holder.push('executes');
      if (holder.length === 1) await new Promise(() => undefined);
    });
  });
  const { engine, crash, launchAnother } = await createTestEngine();
  const first = await launchAnother({ workflows: [held] });
  const run = await engine.startWorkflow(held);
  await waitFor(() => holder.length > 0, { what: 'the first engine to execute the step' });

  const crashed = crash(first);
  await launchAnother({ workflows: [held] });
  await crashed;

  await run.result();
  expect(holder).toHaveLength(2);
});

test('a mock stands in for a step, with its arguments', async () => {
  const { engine, mockStep } = await createTestEngine({ workflows: [checkout], time: 'skipping' });
  const mock = mockStep(charge, async (id) => `${id} mocked`);
  mockStep('ship', () => 'mocked too');

  const run = await engine.startWorkflow(checkout, 'mocked');

  expect(await run.result()).toEqual(['mocked mocked', 'mocked too']);
  expect(mock.calls.map(({ args, attempt }) => ({ args, attempt }))).toEqual([{ args: ['mocked', 500], attempt: 1 }]);
  expect(executed).not.toContain('mocked');
});

test('a mock that throws is a failed step, until it is put away', async () => {
  const { engine, mockStep } = await createTestEngine({ workflows: [checkout], time: 'skipping' });
  const mock = mockStep(charge, () => Promise.reject(new Error('card declined')));
  const declined = await engine.startWorkflow(checkout, 'declined');

  await expect(declined.result()).rejects.toThrow('card declined');
  mock.restore();
  await engine.runs.retry(declined.id);

  expect(await declined.result()).toContain('declined shipped');
});

test('closing ends the engines and the database; again is no harm', async () => {
  const made = await createTestEngine({ workflows: [checkout] });

  await made.close();
  await made.close();

  const error: unknown = await made.engine.startWorkflow(checkout, 'late').catch((reason: unknown) => reason);
  expect(isPerdureError(error, 'ENGINE_CLOSED')).toBe(true);
});

test.each([
  ['misspelt', { workflow: [checkout] }],
  ['no known time', { time: 'skiping' }],
  ['no date', { startsAt: '2026-03-01' }],
])('an option that is %s is refused, where a silent engine would not tell', async (_what, options) => {
  await expect(createTestEngine(options as never)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
});

test('what is no run, step, status or moment is refused, where a test would wait for it in vain', async () => {
  const { clock, mockStep, stepsOf, waitForStatus } = await createTestEngine();
  const refusal = (option: string): unknown =>
    expect.objectContaining({ code: 'OPTION_INVALID', details: expect.objectContaining({ option }) });

  expect(() => mockStep(undefined as never, () => 1)).toThrow(refusal('step'));
  expect(() => mockStep('charge', undefined as never)).toThrow(refusal('call'));
  await expect(stepsOf(undefined as never)).rejects.toEqual(refusal('run'));
  await expect(waitForStatus('order-7', 'success' as never)).rejects.toEqual(refusal('status'));
  await expect(clock.advanceTo('2030-01-01' as never)).rejects.toEqual(refusal('moment'));
});

// Options with a letter wrong, from programs without types: each would silently have no effect.

import { expect, test } from '@jest/globals';
import {
  contract,
  receive,
  runStep,
  schedule,
  sleepUntil,
  step,
  topic,
  workflow,
  type BulkStart,
  type Tick,
} from '../src/index.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

/** What a program without types may pass. */
function untyped(options: Readonly<Record<string, unknown>>): Readonly<Record<string, never>> {
  return options as Readonly<Record<string, never>>;
}

test.each([
  ['a step', () => step('charge', async () => 1, untyped({ retries: 5 }))],
  ['a retry policy', () => step('charge', async () => 1, { retry: untyped({ attempts: 5 }) })],
  ['a workflow', () => workflow('charge', async () => 1, untyped({ timeuot: '1s' }))],
  ['a schedule', () => schedule('nightly', '@daily', contract<Tick>('report'), untyped({ timezone: 'Europe/Berlin' }))],
])('a misspelt option of %s is refused where it is defined', (_what, define) => {
  expect(define).toThrow(/OPTION_INVALID.*have no such option; known are /);
});

test.each([
  ['of a workflow', () => workflow('charge', async () => 1, '1s' as never)],
  ['of a step', () => step('charge', async () => 1, 5 as never)],
  ['of a retry policy', () => step('charge', async () => 1, { retry: 5 as never })],
])('options %s that are no object are refused where they are defined', async (_what, define) => {
  const error = await perdureErrorOf(define, 'OPTION_INVALID');

  expect(error.message).toMatch(/^OPTION_INVALID: option options cannot be .*: those of \w+ are an object/);
});

test.each([
  ['a workflow', () => workflow('charge', undefined as never)],
  ['a step', () => step('charge', Promise.resolve(1) as never)],
])('%s without a function is refused where it is defined', async (_what, define) => {
  const error = await perdureErrorOf(define, 'OPTION_INVALID');

  expect(error.message).toContain('give a function');
});

test('a misspelt option of a start is refused, and nothing is started', async () => {
  const charge = workflow('charge', async (amount: number) => runStep('charge', () => amount));
  const engine = await db.launchEngine({ workflows: [charge] });

  const error = await perdureErrorOf(engine.startWorkflow(charge, 7, untyped({ ID: 'order-7' })), 'OPTION_INVALID');

  expect(error.message).toContain('ID');
  expect(await db.query('select id from perdure.runs')).toEqual([]);
});

test('of many starts, a misspelt option or an input by itself is refused, and nothing is started', async () => {
  const charge = workflow('charge', async (amount: number) => amount);
  const engine = await db.launchEngine({ workflows: [charge] });
  const start = (second: unknown, options = {}): Promise<unknown> =>
    engine.startWorkflows(charge, [{ input: 7 }, second as BulkStart<number>], options);

  const misspelt = await perdureErrorOf(start({ input: 7, que: 'mail' }), 'OPTION_INVALID');
  expect(misspelt.message).toContain('option que cannot be "mail"');
  const bare = await perdureErrorOf(start(7), 'OPTION_INVALID');
  expect(bare.message).toContain('option starts cannot be 7');
  await perdureErrorOf(start({ input: 7, onDuplicate: 'reject' }), 'OPTION_INVALID');
  await perdureErrorOf(start({ input: 7 }, { queue: 'mail' }), 'OPTION_INVALID');

  expect(await db.query('select id from perdure.runs')).toEqual([]);
});

test('a misspelt option of a message is refused, where a key that counts for nothing would send it twice', async () => {
  const answer = topic<string>('answer');
  const ask = workflow('ask', () => receive(answer));
  const engine = await db.launchEngine({ workflows: [ask] });
  const run = await engine.startWorkflow(ask);

  await perdureErrorOf(engine.send(run.id, answer, 'yes', untyped({ dedupkey: 'click' })), 'OPTION_INVALID');

  expect(await db.query('select run_id from perdure.messages')).toEqual([]);
});

test('a misspelt timeout of receive is refused, where the run would wait for ever', async () => {
  const answer = topic<string>('answer');
  const ask = workflow('ask', () => receive(answer, untyped({ timout: '1s' })));
  const engine = await db.launchEngine({ workflows: [ask] });
  const run = await engine.startWorkflow(ask);

  await perdureErrorOf(run.result(), 'OPTION_INVALID');
});

test('a misspelt filter is refused, where all runs would be listed', async () => {
  const engine = await db.launchEngine();

  const listed = engine.runs.list(untyped({ worklow: 'charge' }));

  await perdureErrorOf(listed, 'OPTION_INVALID');
});

test('a step that was given the promise of a call already made fails, and says so', async () => {
  const charge = workflow('charge', () => runStep('charge', Promise.resolve(1) as never));
  const engine = await db.launchEngine({ workflows: [charge] });
  const run = await engine.startWorkflow(charge);

  const error = await perdureErrorOf(run.result(), 'OPTION_INVALID');

  expect(error.message).toContain('give a function');
});

test('what is no moment cannot be slept until', async () => {
  const nap = workflow('nap', () => sleepUntil('2026-12-24' as never));
  const engine = await db.launchEngine({ workflows: [nap] });
  const run = await engine.startWorkflow(nap);

  await perdureErrorOf(run.result(), 'OPTION_INVALID');
});

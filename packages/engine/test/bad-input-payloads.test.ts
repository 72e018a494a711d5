import { describe, expect, test } from '@jest/globals';
import { runStep, workflow, type StartOptions } from '../src/index.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

const megabyte = 1024 * 1024;
const text20 = 'ä'.repeat(10 * megabyte); // 20 MB in UTF-8

describe('20 MB, where the limit is 10', () => {
  test('as an input is PAYLOAD_TOO_LARGE, and leaves no row', async () => {
    const swallow = workflow('swallow', async (text: string) => text.length);
    const engine = await db.launchEngine({ workflows: [swallow] });

    const error = await perdureErrorOf(engine.startWorkflow(swallow, text20, { id: 'big-input' }), 'PAYLOAD_TOO_LARGE');

    expect(error.details).toEqual({
      what: 'the input of workflow "swallow"',
      bytes: 20 * megabyte + 2,
      limit: 10 * megabyte,
    });
    expect(await engine.runs.get('big-input')).toBeUndefined();
  });

  test('as the result of a step is an error that workflow code can catch', async () => {
    const reading = workflow('reading', async () => {
      const error = await perdureErrorOf(
        runStep('read', () => text20),
        'PAYLOAD_TOO_LARGE',
      );
      return [error.details['what'], error.details['isResult']];
    });
    const engine = await db.launchEngine({ workflows: [reading] });

    const run = await engine.startWorkflow(reading, undefined, { id: 'big-step' });

    expect(await run.result()).toEqual(['the result of step "read" of run big-step', true]);
  });

  test('as the result of a workflow fails the run', async () => {
    const bloating = workflow('bloating', async () => text20);
    const engine = await db.launchEngine({ workflows: [bloating] });
    const run = await engine.startWorkflow(bloating, undefined, { id: 'big-result' });

    const error = await perdureErrorOf(run.result(), 'PAYLOAD_TOO_LARGE');

    expect(error.details['isResult']).toBe(true);
    expect(await run.status()).toBe('failed');
  });

  test('as the message of an error is cut short, and the run fails with that error', async () => {
    const shouting = workflow('shouting', async () => {
      throw new RangeError(text20);
    });
    const engine = await db.launchEngine({ workflows: [shouting] });
    const run = await engine.startWorkflow(shouting);

    const error: unknown = await run.result().catch((caught: unknown) => caught);

    expect(error).toBeInstanceOf(RangeError);
    expect(error).toHaveProperty('message', expect.stringMatching(/^ä{16384} \[not recorded: 10469376 more characters\]$/)); // prettier-ignore
  });
});

describe('20 MB, where the limit is higher', () => {
  test('pass as input, step results and result, beside other runs, into another process', async () => {
    const carrying = workflow('carrying', async (text: string) => {
      const [left, right] = await Promise.all([runStep('left', () => text), runStep('right', () => text)]);
      return left === right ? left : 'torn';
    });
    const small = workflow('small', async () => runStep('one', () => 1));
    const engine = await db.launchEngine({
      workflows: [carrying, small],
      maxPayloadBytes: 30 * megabyte,
      lease: '10s',
    });
    const observer = await db.launchEngine({ lease: '10s' });

    const run = await engine.startWorkflow(carrying, text20, { id: 'carried' });
    const smallRuns = await Promise.all(Array.from({ length: 20 }, () => engine.startWorkflow(small)));

    expect(await Promise.all(smallRuns.map((each) => each.result()))).toEqual(Array.from({ length: 20 }, () => 1));
    expect((await run.result()) === text20).toBe(true);
    expect((await observer.getHandle('carried').result()) === text20).toBe(true);
  });
});

test('a limit counts bytes, not characters', async () => {
  const swallow = workflow('swallow', async (text: string) => text.length);
  const engine = await db.launchEngine({ workflows: [swallow], maxPayloadBytes: 1_024 });

  await perdureErrorOf(engine.startWorkflow(swallow, '字'.repeat(341)), 'PAYLOAD_TOO_LARGE');
  const run = await engine.startWorkflow(swallow, '字'.repeat(340));

  expect(await run.result()).toBe(340);
});

describe('attributes that JSON would lose are refused with their path:', () => {
  test.each<[string, NonNullable<StartOptions['attributes']>, string]>([
    ['a function', { on: { done: () => 1 } }, '$.on.done'],
    ['a symbol', { tags: ['a', Symbol('b')] }, '$.tags[1]'],
    ['a bigint', { total: 5n }, '$.total'],
    ['no number', { 'unit price': NaN }, '$["unit price"]'],
    ['a Map', { by: new Map([['a', 1]]) }, '$.by'],
  ])('%s', async (_what, attributes, path) => {
    const mark = workflow('mark', async () => undefined);
    const engine = await db.launchEngine({ workflows: [mark] });

    const error = await perdureErrorOf(engine.startWorkflow(mark, undefined, { attributes }), 'OPTION_INVALID');

    expect(error.message).toContain(`${path} would be lost`);
    expect(await db.query("select id from perdure.runs where workflow = 'mark'")).toEqual([]);
  });
});

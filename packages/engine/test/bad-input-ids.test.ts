import { describe, expect, test } from '@jest/globals';
import { runStep, step, workflow, type StartOptions } from '../src/index.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

const greet = workflow('greet', async (name: string) => `Hello ${name}`);

// What a program without types may pass.
function untyped<T>(value: unknown): T {
  return value as T;
}

const badTexts: readonly [string, unknown, string][] = [
  ['empty', '', 'it is empty'],
  ['10 kB long', 'x'.repeat(10_000), 'it has 10000 characters, more than'],
  ['with a null character', 'a\u0000b', 'it contains control characters'],
  ['with a line break', 'a\nb', 'it contains control characters'],
  ['with a line separator', 'a\u2028b', 'it contains control characters'],
  ['with half an emoji', 'a\ud83d', 'it contains control characters or broken Unicode'],
  ['null', null, 'it is null, not a string'],
  ['a number', 7, 'it is number, not a string'],
  ['an object', {}, 'it is object, not a string'],
];

describe('a run id', () => {
  test.each(badTexts)('that is %s is rejected by everything that takes one', async (_, bad, reason) => {
    const engine = await db.launchEngine({ workflows: [greet] });
    const id = untyped<string>(bad);

    const errors = await Promise.all([
      perdureErrorOf(engine.startWorkflow(greet, 'Ada', { id }), 'RUN_ID_INVALID'),
      perdureErrorOf(() => engine.getHandle(id), 'RUN_ID_INVALID'),
      perdureErrorOf(engine.runs.get(id), 'RUN_ID_INVALID'),
      perdureErrorOf(engine.runs.steps(id), 'RUN_ID_INVALID'),
      perdureErrorOf(engine.runs.cancel(id), 'RUN_ID_INVALID'),
      perdureErrorOf(engine.runs.resume(id), 'RUN_ID_INVALID'),
    ]);

    for (const { message } of errors) expect(message).toContain(reason);
    for (const { message } of errors) expect(message.length).toBeLessThan(300);
    expect(await db.query(`select id from perdure.runs where workflow = 'greet'`)).toEqual([]);
  });

  test.each([
    ['of 512 wide characters', '字'.repeat(512)],
    ['that looks like SQL', `'; drop table perdure.runs; -- "{schema}" $1`],
    ['of one space', ' '],
    ['that looks like an array', '{a,"b",NULL}'],
  ])('%s is as good as any', async (_, id) => {
    const child = workflow('child', async () => runStep('answer', () => 42));
    const parent = workflow('parent', async () => child());
    const engine = await db.launchEngine({ workflows: [parent, child] });
    const observer = await db.launchEngine();

    const run = await engine.startWorkflow(parent, undefined, { id });

    expect(await run.result()).toBe(42);
    expect(await observer.getHandle(id).result()).toBe(42);
    expect(await observer.runs.get(id)).toMatchObject({ id, status: 'succeeded' });
    expect(await observer.runs.steps(id)).toMatchObject([{ kind: 'child', output: 42 }]);
  });
});

describe('a name', () => {
  test.each(badTexts)('that is %s is rejected for workflows, versions and steps', async (_, bad, reason) => {
    const name = untyped<string>(bad);

    const errors = await Promise.all([
      perdureErrorOf(() => workflow(name, async () => 1), 'NAME_INVALID'),
      perdureErrorOf(() => workflow('fine', async () => 1, { version: name }), 'NAME_INVALID'),
      perdureErrorOf(() => step(name, () => 1), 'NAME_INVALID'),
      perdureErrorOf(() => runStep(name, () => 1), 'NAME_INVALID'),
    ]);

    for (const { message } of errors) expect(message).toContain(reason);
    for (const { message } of errors) expect(message.length).toBeLessThan(300);
  });
});

describe('what is started', () => {
  test.each([
    ['undefined', undefined],
    ['a name', 'greet'],
    ['a plain function', async () => 1],
    ['null', null],
  ])('must be a workflow: %s is OPTION_INVALID', async (_, started) => {
    const engine = await db.launchEngine({ workflows: [greet] });

    const error = await perdureErrorOf(engine.startWorkflow(untyped<typeof greet>(started), 'Ada'), 'OPTION_INVALID');

    expect(error.message).toContain('make one with workflow()');
    await perdureErrorOf(() => db.createEngine({ workflows: [untyped(started)] }), 'OPTION_INVALID');
  });

  test('by its name alone is started with a contract, as the error says', async () => {
    const engine = await db.launchEngine({ workflows: [greet] });

    const error = await perdureErrorOf(engine.startWorkflow(untyped<typeof greet>('greet'), 'Ada'), 'OPTION_INVALID');

    expect(error.message).toContain('option workflow cannot be "greet"');
    expect(error.message).toContain('contract("greet")');
  });
});

describe('options of a start', () => {
  test.each<[string, StartOptions]>([
    ['a negative delay', { delay: -1 }],
    ['a delay without a unit', { delay: '5' }],
    ['a delay of NaN', { delay: NaN }],
    ['an infinite timeout', { timeout: Infinity }],
    ['a timeout in another language', { timeout: '5 Stunden' }],
    ['a delay of 200,000 years', { delay: '73000000 days' }],
  ])('%s is DURATION_INVALID, and nothing is started', async (name, options) => {
    const engine = await db.launchEngine({ workflows: [greet] });
    const id = `duration ${name}`;

    const error = await perdureErrorOf(engine.startWorkflow(greet, 'Ada', { ...options, id }), 'DURATION_INVALID');

    expect(error.message).toContain(Object.keys(options)[0]);
    expect(await engine.runs.get(id)).toBeUndefined();
  });

  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = cyclic;

  test.each([
    ['an array', [1]],
    ['null', null],
    ['text', 'red'],
    ['a null character', { colour: 'a\u0000' }],
    ['half an emoji', { colour: '\ud83d' }],
    ['a cycle', cyclic],
    ['a bigint', { size: 1n }],
  ])('attributes with %s are OPTION_INVALID, and nothing is started', async (name, bad) => {
    const engine = await db.launchEngine({ workflows: [greet] });
    const id = `attributes ${name}`;
    const attributes = untyped<Record<string, unknown>>(bad);

    const error = await perdureErrorOf(engine.startWorkflow(greet, 'Ada', { attributes, id }), 'OPTION_INVALID');

    expect(error.details['option']).toBe('attributes');
    expect(await engine.runs.get(id)).toBeUndefined();
  });
});

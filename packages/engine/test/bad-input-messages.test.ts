// What topics, events and streams refuse, with which code, and that nothing of it is stored.

import { beforeEach, expect, test } from '@jest/globals';
import {
  contract,
  event,
  receive,
  runStep,
  send,
  setEvent,
  stream,
  topic,
  workflow,
  writeStream,
  type Duration,
  type Engine,
  type ErrorCode,
  type SendOptions,
  type Workflow,
} from '../src/index.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

const word = topic<unknown>('word');
const state = event<unknown>('state');
const tokens = stream<unknown>('tokens');
const listen = workflow('listen', async () => receive(word));
const fail = workflow('fail', async (): Promise<void> => {
  throw new Error('no');
});
const returns = workflow('returns', async () => 1);

let engine: Engine;
beforeEach(async () => {
  await db.query('truncate perdure.runs, perdure.messages, perdure.events, perdure.stream_chunks cascade');
  engine = await db.launchEngine({ workflows: [listen, fail, returns], maxPayloadBytes: 2 * 1024 * 1024 });
});

const storedMessages = (): Promise<unknown[]> => db.query('select id from perdure.messages');

test.each<[string, unknown, SendOptions, ErrorCode]>([
  ['that is undefined, which would look like a timeout', undefined, {}, 'UNSERIALIZABLE'],
  ['that is a function', () => 1, {}, 'UNSERIALIZABLE'],
  ['with a cycle', cycle(), {}, 'UNSERIALIZABLE'],
  ['that is larger than the limit', 'x'.repeat(2 * 1024 * 1024), {}, 'PAYLOAD_TOO_LARGE'],
  ['with an empty dedup key', 1, { dedupKey: '' }, 'NAME_INVALID'],
  ['with a dedup key that cannot be printed', 1, { dedupKey: 'a\u0000b' }, 'NAME_INVALID'],
])('a message %s is refused, and nothing is sent', async (_, message, options, code) => {
  const run = await engine.startWorkflow(listen);

  await perdureErrorOf(engine.send(run.id, word, message, options), code);

  expect(await storedMessages()).toEqual([]);
});

test('a message of a megabyte arrives', async () => {
  const run = await engine.startWorkflow(listen);
  const text = '\u{1f600}é"\\'.repeat(100_000);

  await engine.send(run.id, word, text);

  expect(await run.result()).toBe(text);
});

test.each([
  ['unknown', async (): Promise<string> => 'nobody', 'RUN_NOT_FOUND'],
  ['succeeded', (): Promise<string> => finishedRun(returns), 'RUN_STATE_CONFLICT'],
  ['failed', (): Promise<string> => finishedRun(fail), 'RUN_STATE_CONFLICT'],
  ['cancelled', (): Promise<string> => cancelledRun(), 'RUN_STATE_CONFLICT'],
] as const)('a message to a run that is %s is refused, and nothing is sent', async (_, target, code) => {
  const id = await target();

  const error = await perdureErrorOf(engine.send(id, word, 1), code);

  expect(error.details).toMatchObject({ id });
  expect(await storedMessages()).toEqual([]);
});

test.each([['its name'], [undefined], [null], [state]])('%p is taken for no topic', async (given) => {
  const run = await engine.startWorkflow(listen);

  const error = await perdureErrorOf(engine.send(run.id, given as never, 1), 'OPTION_INVALID');
  await perdureErrorOf(engine.getEvent(run.id, (given === state ? word : given) as never), 'OPTION_INVALID');
  await perdureErrorOf(engine.readStream(run.id, given as never).next(), 'OPTION_INVALID');

  expect(error.details).toMatchObject({ option: 'topic', reason: 'make one with topic()' });
  expect(await storedMessages()).toEqual([]);
});

test('a run can neither send to an id that is none, nor wait for less than no time', async () => {
  const codes: unknown[] = [];
  const clumsy = workflow('clumsy', async (timeout: Duration) => {
    await send('', word, 1).catch((error: unknown) => codes.push(codeOf(error)));
    await receive(word, { timeout }).catch((error: unknown) => codes.push(codeOf(error)));
  });
  engine.register(clumsy);

  await (await engine.startWorkflow(clumsy, '-1s')).result();

  expect(codes).toEqual(['RUN_ID_INVALID', 'DURATION_INVALID']);
  expect(await storedMessages()).toEqual([]);
});

test.each(['receive', 'send'] as const)('%s inside of a step is refused', async (operation) => {
  const acts = { receive: () => receive(word), send: () => send('anyone', word, 1) };
  const mistaken = workflow('mistaken', async () => runStep('inner', async () => acts[operation]()));
  engine.register(mistaken);
  const run = await engine.startWorkflow(mistaken);

  const error = await perdureErrorOf(run.result(), 'IN_STEP');

  expect(error.details).toEqual({ operation, step: 'inner' });
});

test.each([
  ['a function', () => 1, 'UNSERIALIZABLE'],
  ['more than the limit', 'x'.repeat(2 * 1024 * 1024), 'PAYLOAD_TOO_LARGE'],
] as const)('%s becomes neither an event nor a part of a stream', async (_, value, code) => {
  const publish = workflow('publish', async (how: string) =>
    how === 'event' ? setEvent(state, value) : writeStream(tokens, value),
  );
  engine.register(publish);

  for (const how of ['event', 'stream'])
    await perdureErrorOf((await engine.startWorkflow(publish, how)).result(), code);

  expect(await db.query('select from perdure.events')).toEqual([]);
  expect(await db.query('select from perdure.stream_chunks')).toEqual([]);
});

test('an event cannot be set to undefined, which would look as if it were not set', async () => {
  const publish = workflow('publish', async () => setEvent(state, undefined));
  engine.register(publish);

  await perdureErrorOf((await engine.startWorkflow(publish)).result(), 'UNSERIALIZABLE');
});

test('waiting for an event of an impossible run, or for no time at all, is refused', async () => {
  await perdureErrorOf(engine.getEvent('', state), 'RUN_ID_INVALID');
  await perdureErrorOf(engine.getEvent('nobody', state), 'RUN_NOT_FOUND');
  const run = await engine.startWorkflow(listen);
  await perdureErrorOf(engine.getEvent(run.id, state, { timeout: 'soon' }), 'DURATION_INVALID');
});

test.each([
  ['an empty name', ''],
  ['a name that cannot be printed', 'a\u0000b'],
  ['a name of 256 characters', 'x'.repeat(256)],
])('%s is refused for a topic, an event and a stream', async (_, name) => {
  for (const define of [topic, event, stream]) await perdureErrorOf(() => define(name), 'NAME_INVALID');
});

function cycle(): unknown {
  const value: { self?: unknown } = {};
  value.self = value;
  return value;
}

async function finishedRun(of: Workflow<void, unknown>): Promise<string> {
  const run = await engine.startWorkflow(of);
  await run.result().catch(() => undefined);
  return run.id;
}

async function cancelledRun(): Promise<string> {
  const run = await engine.startWorkflow(contract<void>('elsewhere'));
  await run.cancel();
  return run.id;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : error;
}

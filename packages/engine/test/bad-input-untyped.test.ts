// What programs without types pass by mistake: one thing for a list, an object of another kind for options, nothing at all. Each is
// refused with a code, before anything is written.

import { describe, expect, test } from '@jest/globals';
import {
  createEngine,
  event,
  pgSource,
  printMigrations,
  printTransactionSchema,
  queue,
  runTransaction,
  schedule,
  Step,
  step,
  stream,
  topic,
  workflow,
  Workflow,
  type Engine,
  type Tick,
} from '../src/index.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const charge = workflow('charge', async (amount: number) => amount);
const welcome = step('welcome', async (user: string) => user);
const progress = event<number>('progress');
const tokens = stream<string>('tokens');
const news = topic<string>('news');
const report = schedule(
  'report',
  '@daily',
  workflow('report', async (tick: Tick) => tick.schedule),
);
const day = new Date('2026-03-01');

/** What a program without types may pass in any place. */
function untyped(value?: unknown): never {
  return value as never;
}

test.each([[undefined], [null], ['postgres://localhost/app'], [[]]])('an engine of %j is refused', async (options) => {
  await perdureErrorOf(() => createEngine(untyped(options)), 'OPTION_INVALID');
});

class Timeouts {
  readonly timeout = '1s';
}

test.each<[string, object]>([
  ['that is frozen', Object.freeze({ timeout: '1s' })],
  ['without a prototype', Object.assign(Object.create(null) as object, { timeout: '1s' })],
  ['of a class', new Timeouts()],
  ['behind a proxy', new Proxy({ timeout: '1s' }, {})],
  ['that is a module', Object.defineProperty({ timeout: '1s' }, Symbol.toStringTag, { value: 'Module' })],
])('options may be an object %s', async (_, options) => {
  const engine = createEngine({ database: 'postgres://localhost/app' });

  await expect(engine.close(options)).resolves.toBeUndefined();
});

test.each<[string, (engine: Engine) => Promise<unknown>]>([
  ['engine.getEvent', (engine) => engine.getEvent('order-7', progress, untyped({ timout: '1s' }))],
  ['engine.readStream', (engine) => engine.readStream('order-7', tokens, untyped({ form: 3 })).next()],
  ['engine.watch', async (engine) => engine.watch('order-7', untyped({ event: [progress] }))],
  ['engine.drive', (engine) => engine.drive(untyped({ budged: '1s' }))],
  ['engine.close', (engine) => engine.close(untyped({ timeOut: '1s' }))],
  ['handle.result', (engine) => engine.getHandle('order-7').result(untyped({ timeout: '1s' }))],
  ['runs.steps', (engine) => engine.runs.steps('order-7', untyped({ from: 3 }))],
  ['runs.cancel', (engine) => engine.runs.cancel('order-7', untyped({ child: true }))],
  ['runs.resume', (engine) => engine.runs.resume('order-7', untyped({ acceptNewStep: true }))],
  ['runs.delete', (engine) => engine.runs.delete('order-7', untyped({ childen: true }))],
  ['queues.move', (engine) => engine.queues.move('order-7', untyped({ prio: 1 }))],
  ['schedules.backfill', (engine) => engine.schedules.backfill('report', untyped({ from: day, until: day }))],
  ['startWorkflow', (engine) => engine.startWorkflow(charge, 7, { idempotency: untyped({ key: 'k', finger: 'f' }) })],
  ['a rate limit', async () => queue('mail', { rateLimit: untyped({ limit: 1, per: '1s', by: 'partition' }) })],
  ['limits per key', async () => queue('mail', { perKey: untyped({ concurrency: 1, limit: 3 }) })],
  ['pgSource', async () => pgSource(untyped({}), untyped({ isEngineDb: false }))],
])('a misspelt option of %s is refused', async (_what, act) => {
  const error = await perdureErrorOf(act(await db.launchEngine()), 'OPTION_INVALID');

  expect(error.message).toMatch(/have no such option; known are /);
});

test('a misspelt option of a transaction is refused, where it would have been of another isolation', async () => {
  const source = pgSource(untyped({ connect: () => Promise.reject(new Error('nobody connects')) }));
  const pay = workflow('pay', () => runTransaction('pay', source, async () => 1, untyped({ isolationLevel: 'x' })));
  const engine = await db.launchEngine({ workflows: [pay] });

  await perdureErrorOf((await engine.startWorkflow(pay)).result(), 'OPTION_INVALID');
});

describe('what is no list is refused:', () => {
  test.each<[string, (engine: Engine) => Promise<unknown>]>([
    ['the starts of startWorkflows', (engine) => engine.startWorkflows(charge, untyped({ input: 7 }))],
    ['no starts', (engine) => engine.startWorkflows(charge, untyped())],
    ['the arguments of startStep', (engine) => engine.startStep(welcome, untyped('ada'))],
    ['no arguments', (engine) => engine.startStep(welcome, untyped())],
    ['ids to cancel', (engine) => engine.runs.cancelMany(untyped('order-7'))],
    ['ids to resume', (engine) => engine.runs.resumeMany(untyped('order-7'))],
    ['events to watch', async (engine) => engine.watch('order-7', { events: untyped(progress) })],
    ['schedules to declare', (engine) => engine.schedules.declare(untyped(report))],
  ])('%s', async (_what, act) => {
    const error = await perdureErrorOf(act(await db.launchEngine()), 'OPTION_INVALID');

    expect(error.message).toContain('give a list');
    expect(await db.query("select id from perdure.runs where workflow in ('charge', 'step welcome')")).toEqual([]);
  });
});

test.each<[string, (engine: Engine) => Promise<unknown>]>([
  ['a signal for options of result', (engine) => engine.getHandle('order-7').result(untyped(AbortSignal.abort()))],
  ['its controller for a signal', (engine) => engine.getHandle('o').result({ signal: untyped(new AbortController()) })],
  ['null for a signal', (engine) => engine.getHandle('order-7').result({ signal: untyped(null) })],
  ['the same of readStream', (engine) => engine.readStream('o', tokens, { signal: untyped(new Map()) }).next()],
  ['a list for options of a start', (engine) => engine.startWorkflow(charge, 7, untyped([]))],
  ['a misspelt wish for duplicates', (engine) => engine.startWorkflow(charge, 7, { onDuplicate: untyped('rejct') })],
  [
    'a third argument',
    (engine) =>
      (engine.startWorkflow as (...all: unknown[]) => Promise<unknown>).call(engine, charge, 7, {}, { id: 'a' }),
  ],
  ['text for a flag of cancel', (engine) => engine.runs.cancel('order-7', { children: untyped('no') })],
  ['text for a flag of resume', (engine) => engine.runs.resume('order-7', { acceptNewSteps: untyped('no') })],
  ['text for a flag of delete', (engine) => engine.runs.delete('order-7', { children: untyped('no') })],
  ['no pool', async () => pgSource(untyped())],
  ['null for options of a message', (engine) => engine.send('order-7', news, 'soon', untyped(null))],
  ['the name of an event to watch', async (engine) => engine.watch('order-7', { events: untyped(['progress']) })],
  ['a number for a position', async (engine) => engine.watch('order-7', { from: untyped(3) })],
  ['a list among many starts', (engine) => engine.startWorkflows(charge, untyped([[7]]))],
  ['nothing to drive by', (engine) => engine.drive(untyped())],
  ['nothing to move', (engine) => engine.queues.move('order-7', untyped())],
  ['no limits', (engine) => engine.queues.update('mail', untyped())],
  ['the name of a queue to declare', (engine) => engine.queues.declare(untyped('mail'))],
  ['the name of a schedule to create', (engine) => engine.schedules.create(untyped('nightly'))],
  ['no schedule to update', (engine) => engine.schedules.update(untyped())],
  ['no stretch to backfill', (engine) => engine.schedules.backfill('report', untyped())],
  ['nothing to register', async (engine) => engine.register(untyped())],
  ['a name to register', async (engine) => engine.register(untyped('charge'))],
  ['no contract to implement', async () => Workflow(untyped())],
])('%s is refused', async (_what, act) => {
  await perdureErrorOf(act(await db.launchEngine()), 'OPTION_INVALID');
});

test.each<[string, () => unknown]>([
  ['an input', () => workflow('charge', async () => 1, { input: untyped({ parse: () => 1 }) })],
  ['a topic', () => topic('news', untyped(String))],
  ['an event', () => event('progress', untyped('number'))],
  ['a stream', () => stream('tokens', untyped(null))],
])('what is no schema of %s is refused where it is defined', async (_what, define) => {
  const error = await perdureErrorOf(define, 'OPTION_INVALID');

  expect(error.message).toContain('takes a Standard Schema');
});

test('a class in place of an instance of it is refused, where its runs would wait for ever', async () => {
  class Checkout {
    async run(): Promise<void> {}
  }
  Workflow('checkout')(Checkout);
  const engine = await db.launchEngine();

  await perdureErrorOf(() => db.createEngine({ workflows: [untyped(Checkout)] }), 'OPTION_INVALID');
  const error = await perdureErrorOf(() => engine.register(Checkout), 'OPTION_INVALID');

  expect(error.message).toContain('register one of it');
});

test.each([[printMigrations], [printTransactionSchema]])(
  '%p is for the usual schema, or for one that can be',
  async (print) => {
    expect(print()).toBe(print('perdure'));
    await perdureErrorOf(() => print(untyped(5)), 'NAME_INVALID');
    await perdureErrorOf(() => print(''), 'NAME_INVALID');
  },
);

test('a stretch that ends before it begins is refused', async () => {
  const engine = await db.launchEngine({ schedules: [report] });

  const error = await perdureErrorOf(
    engine.schedules.backfill('report', { from: day, to: new Date(0) }),
    'OPTION_INVALID',
  );

  expect(error.message).toContain('later than the end');
});

test('a name given to @Step by itself is refused as options that are none', async () => {
  const decorate = (): unknown => Step(untyped('charge'))(async () => 1, untyped({ kind: 'method', name: 'charge' }));

  const error = await perdureErrorOf(decorate, 'OPTION_INVALID');

  expect(error.message).toContain('those of steps are an object, as { name }');
});

test('a signal is refused in workflow code, where it would have no effect', async () => {
  const wait = workflow('wait', () => engine.getHandle('order-7').result({ signal: new AbortController().signal }));
  const engine: Engine = await db.launchEngine({ workflows: [wait] });

  await perdureErrorOf((await engine.startWorkflow(wait)).result(), 'OPTION_INVALID');
});

test.each([
  ['context', { capture: () => ({}) }],
  ['aroundStep', 5],
])('a faulty %s is CONFIG_INVALID, and not an error of every run', async (option, value) => {
  const error = await perdureErrorOf(db.createEngine({ [option]: value }).launch(), 'CONFIG_INVALID');

  expect(error.message).toContain(`option ${option} cannot be`);
});

test('a transaction without code is refused, and says so', async () => {
  const source = pgSource(untyped({ connect: () => Promise.reject(new Error('nobody connects')) }));
  const idle = workflow('idle', () => runTransaction('idle', source, untyped()));
  const engine = await db.launchEngine({ workflows: [idle] });

  const error = await perdureErrorOf((await engine.startWorkflow(idle)).result(), 'OPTION_INVALID');

  expect(error.message).toContain('give a function to the transaction "idle"');
});

test.each(['listen', 'migrate', 'driven'])(
  'the text "false" for %s is refused, which would count as true',
  async (option) => {
    const error = await perdureErrorOf(db.createEngine({ [option]: 'false' }).launch(), 'CONFIG_INVALID');

    expect(error.message).toContain(`option ${option} cannot be "false": it is neither true nor false`);
  },
);

test('the name of a queue for a list of them is refused', async () => {
  const error = await perdureErrorOf(db.createEngine({ serveQueues: untyped('mail') }).launch(), 'CONFIG_INVALID');

  expect(error.message).toContain('option serveQueues cannot be "mail": give a list');
});

test('a fingerprint without the key that it belongs to is refused, where each message would count', async () => {
  const engine = await db.launchEngine();

  const error = await perdureErrorOf(engine.send('order-7', news, 'soon', { fingerprint: 'f' }), 'OPTION_INVALID');

  expect(error.message).toContain('dedupKey');
});

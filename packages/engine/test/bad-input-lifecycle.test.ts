import { describe, expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { contract, runStep, sleep, workflow, type Engine, type RunHandle } from '../src/index.js';
import { gate } from './support/gate.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

const greet = workflow('greet', async (name: string) => runStep('compose', () => `Hello ${name}`));
const forever = workflow('forever', async () => sleep('52 weeks'));

const everyUse = (engine: Engine): [string, () => unknown][] => [
  ['startWorkflow', () => engine.startWorkflow(greet, 'Ada')],
  ['getHandle', () => engine.getHandle('any')],
  ['runs', () => engine.runs],
];

describe('before the launch', () => {
  test('every use is ENGINE_NOT_LAUNCHED and names the call', async () => {
    const engine = db.createEngine({ workflows: [greet] });

    for (const [operation, use] of everyUse(engine)) {
      const error = await perdureErrorOf(use, 'ENGINE_NOT_LAUNCHED');
      expect(error.details).toEqual({ operation });
    }
  });

  test('closing is no fault, and the engine can be launched no more', async () => {
    const engine = db.createEngine();

    await engine.close();

    await perdureErrorOf(engine.launch(), 'ENGINE_CLOSED');
  });
});

describe('after closing', () => {
  test('every use is ENGINE_CLOSED and names the call', async () => {
    const engine = await db.launchEngine({ workflows: [greet] });
    await engine.close();

    for (const [operation, use] of [...everyUse(engine), ['launch', () => engine.launch()] as const]) {
      const error = await perdureErrorOf(use, 'ENGINE_CLOSED');
      expect(error.details).toEqual({ operation });
    }
  });

  test('a handle that was obtained before is ENGINE_CLOSED in all that it does', async () => {
    const engine = await db.launchEngine({ workflows: [forever] });
    const run = await engine.startWorkflow(forever);
    const { runs } = engine;
    await engine.close();

    for (const use of [() => run.result(), () => run.status(), () => run.cancel(), () => runs.get(run.id)])
      await perdureErrorOf(use, 'ENGINE_CLOSED');
  });

  test('the result of a run that had ended is still there', async () => {
    const engine = await db.launchEngine({ workflows: [greet] });
    const run = await engine.startWorkflow(greet, 'Ada');
    await run.result();

    await engine.close();

    expect(await run.result()).toBe('Hello Ada');
  });

  test('closing again is no fault', async () => {
    const engine = await db.launchEngine();

    await Promise.all([engine.close(), engine.close()]);

    await expect(engine.close()).resolves.toBeUndefined();
  });

  test('nothing of the executor is left in the database', async () => {
    const engine = await db.launchEngine({ workflows: [forever] });
    const run = await engine.startWorkflow(forever);

    await engine.close();

    expect(await db.query('select id from perdure.executors')).toEqual([]);
    expect(await db.query('select status, executor from perdure.runs where id = $1', [run.id])).toEqual([
      { status: 'waiting', executor: null },
    ]);
  });
});

describe('while closing', () => {
  test.each([
    ['here', forever],
    ['by nobody', contract('hosted nowhere')],
  ])('whoever awaits a run that is executed %s gets ENGINE_CLOSED', async (_, awaited) => {
    const engine = await db.launchEngine({ workflows: [forever] });
    const run = await engine.startWorkflow(awaited);
    const result = perdureErrorOf(run.result(), 'ENGINE_CLOSED');

    await engine.close();

    expect((await result).details).toEqual({ operation: 'result' });
  });

  test('a run whose last step is executing gets to its end, and whoever awaits it gets the result', async () => {
    const reached = gate();
    const release = gate<string>();
    const held = workflow('held', async () => runStep('hold', () => (reached.open(), release.opened)));
    const engine = await db.launchEngine({ workflows: [held] });
    const run = await engine.startWorkflow(held);
    await reached.opened;

    const closing = engine.close();
    release.open('done');

    await closing;
    expect(await run.result()).toBe('done');
  });

  test('every start that was under way is rejected or durable, and each durable run is finished by another engine', async () => {
    const engine = await db.launchEngine({ workflows: [greet] });
    const starts = Array.from({ length: 300 }, (_, n) => engine.startWorkflow(greet, `${n}`, { id: `closing-${n}` }));

    await engine.close();

    const settled = await Promise.allSettled(starts);
    const failures = settled.flatMap((start) => (start.status === 'rejected' ? [start.reason as unknown] : []));
    for (const failure of failures) expect(failure).toMatchObject({ code: expect.stringMatching(/^(ENGINE_CLOSED|START_UNCONFIRMED)$/) }); // prettier-ignore
    const started = settled.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
    const other = await db.launchEngine({ workflows: [greet] });
    const results = await Promise.all(started.map(({ id }) => other.getHandle(id).result()));
    expect(results).toEqual(started.map(({ id }) => `Hello ${id.slice('closing-'.length)}`));
  });

  test('starts that come in one after the other end with ENGINE_CLOSED, and those before it are durable', async () => {
    const engine = await db.launchEngine({ workflows: [greet] });
    const started: RunHandle<string>[] = [];
    const starting = perdureErrorOf(async () => {
      for (;;) started.push(await engine.startWorkflow(greet, 'Ada'));
    }, 'ENGINE_CLOSED');
    await waitFor(() => started.length >= 5, { what: 'the first starts' });

    await engine.close();

    await starting;
    const ids = started.map(({ id }) => id);
    const rows = await db.query('select id from perdure.runs where id = any ($1)', [ids]);
    expect(rows).toHaveLength(ids.length);
  });

  test('a faulty timeout is DURATION_INVALID, and the engine stays open', async () => {
    const engine = await db.launchEngine({ workflows: [greet] });

    await perdureErrorOf(engine.close({ timeout: 'soon' }), 'DURATION_INVALID');

    expect(await (await engine.startWorkflow(greet, 'Ada')).result()).toBe('Hello Ada');
  });
});

describe('launching', () => {
  test('twice, at once and later, is launching once', async () => {
    const engine = db.createEngine({ workflows: [greet] });

    const launched = await Promise.all([engine.launch(), engine.launch()]);
    await engine.launch();

    expect(launched).toEqual([engine, engine]);
    expect(await db.query('select id from perdure.executors')).toHaveLength(1);
  });

  test('that is cut off by closing leaves nothing behind', async () => {
    const engine = db.createEngine({ workflows: [greet] });
    const launching = engine.launch();

    await engine.close();

    await launching.catch(() => undefined);
    await perdureErrorOf(() => engine.runs, 'ENGINE_CLOSED');
    expect(await db.query('select id from perdure.executors')).toEqual([]);
  });
});

// Names, ids and registration: which code belongs to a run, and what is refused.

import { expect, test } from '@jest/globals';
import { contract, createEngine, runStep, sleep, startWorkflow, step, workflow, type Workflow } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

test('an id that belongs to a live run of another workflow is refused [56]', async () => {
  const order = workflow('live-order', () => sleep('1h'));
  const refund = workflow('live-refund', () => sleep('1h'));
  const engine = await db.launchEngine({ workflows: [order, refund] });
  await engine.startWorkflow(order, undefined, { id: 'live-7' });

  const second = engine.startWorkflow(refund, undefined, { id: 'live-7' });

  await expect(second).rejects.toMatchObject({
    code: 'RUN_ID_CONFLICT',
    details: { id: 'live-7', workflow: 'live-refund', existing: 'live-order' },
  });
});

test('an id that belongs to a finished run of another workflow is refused [56]', async () => {
  const order = workflow('finished-order', async () => 'ordered');
  const refund = workflow('finished-refund', async () => 'refunded');
  const engine = await db.launchEngine({ workflows: [order, refund] });
  const run = await engine.startWorkflow(order, undefined, { id: 'finished-7' });
  await run.result();

  const second = engine.startWorkflow(refund, undefined, { id: 'finished-7' });

  await expect(second).rejects.toMatchObject({ code: 'RUN_ID_CONFLICT' });
});

test('two workflows that start with one id at once: one gets it, the other is refused [56]', async () => {
  const order = workflow('racing-order', async () => 'ordered');
  const refund = workflow('racing-refund', async () => 'refunded');
  const engine = await db.launchEngine({ workflows: [order, refund] });

  const starts = await Promise.allSettled([
    engine.startWorkflow(order, undefined, { id: 'racing-7', delay: '1h' }),
    engine.startWorkflow(refund, undefined, { id: 'racing-7', delay: '1h' }),
  ]);

  expect(starts.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  expect(starts[1]).toMatchObject({ reason: { code: 'RUN_ID_CONFLICT' } });
});

test('two engines that start two workflows with one id: one gets it, the other is refused [56]', async () => {
  const order = workflow('apart-order', async () => 'ordered');
  const refund = workflow('apart-refund', async () => 'refunded');
  const engines = await Promise.all([
    db.launchEngine({ workflows: [order] }),
    db.launchEngine({ workflows: [refund] }),
  ]);

  const starts = await Promise.allSettled([
    engines[0].startWorkflow(order, undefined, { id: 'apart-7' }),
    engines[1].startWorkflow(refund, undefined, { id: 'apart-7' }),
  ]);

  const refused = starts.filter((start) => start.status === 'rejected');
  expect(refused).toMatchObject([{ reason: { code: 'RUN_ID_CONFLICT' } }]);
});

test('two definitions of one name are refused, and the error names it [57]', () => {
  const first = workflow('twice', async () => 1);
  const second = workflow('twice', async () => 2);

  const create = (): unknown => createEngine({ database: 'postgres://x', workflows: [first, second] });

  expect(create).toThrow(expect.objectContaining({ code: 'WORKFLOW_DUPLICATE', details: { workflow: 'twice' } }));
});

test('two versions of one name live side by side [57]', async () => {
  const old = workflow('versioned', async () => 'old', { version: '1' });
  const current = workflow('versioned', async () => 'new', { version: '2' });
  const engine = await db.launchEngine({ workflows: [old, current] });

  const runs = [await engine.startWorkflow(old), await engine.startWorkflow(current)];

  expect(await Promise.all(runs.map((run) => run.result()))).toEqual(['old', 'new']);
});

test('the identical definition may be registered again and again [66]', async () => {
  const again = workflow('again', async () => 'done');
  const engine = await db.launchEngine({ workflows: [again, again] });

  engine.register(again).register(again);

  const run = await engine.startWorkflow(again);
  expect(await run.result()).toBe('done');
});

test('a module that is evaluated again replaces the code of its workflow [66]', async () => {
  const evaluate = (version: string): Workflow<void, string> => workflow('hot', async () => version);
  const first = evaluate('before');
  const engine = await db.launchEngine({ workflows: [first] });

  engine.register(evaluate('after'));

  const run = await engine.startWorkflow(first);
  expect(await run.result()).toBe('after');
});

test('one definition serves two engines in one process [66]', async () => {
  const shared = workflow('shared', async (name: string) => `Hello ${name}`);
  const engines = await Promise.all([
    db.launchEngine({ workflows: [shared] }),
    db.launchEngine({ workflows: [shared] }),
  ]);

  const runs = await Promise.all(engines.map((engine) => engine.startWorkflow(shared, 'Ada')));

  expect(await Promise.all(runs.map((run) => run.result()))).toEqual(['Hello Ada', 'Hello Ada']);
});

test('nothing works before the launch, and the error says so [58]', async () => {
  const early = workflow('early', async () => undefined);
  const engine = db.createEngine({ workflows: [early] });

  await expect(engine.startWorkflow(early)).rejects.toMatchObject({
    code: 'ENGINE_NOT_LAUNCHED',
    details: { operation: 'startWorkflow' },
  });
  expect(() => engine.getHandle('some-id')).toThrow(expect.objectContaining({ code: 'ENGINE_NOT_LAUNCHED' }));
  expect(() => engine.runs).toThrow(expect.objectContaining({ code: 'ENGINE_NOT_LAUNCHED' }));
});

test('the free functions outside of a run say what they need [58]', async () => {
  const child = workflow('nobody', async () => undefined);

  await expect(sleep(1)).rejects.toMatchObject({ code: 'NOT_IN_RUN', details: { operation: 'sleep' } });
  await expect(startWorkflow(child)).rejects.toMatchObject({ code: 'NOT_IN_RUN' });
  await expect(child()).rejects.toMatchObject({ code: 'WORKFLOW_CALLED_OUTSIDE_RUN', details: { workflow: 'nobody' } });
});

test('what is no workflow cannot be started [59]', async () => {
  const engine = await db.launchEngine();
  const plain = async (): Promise<string> => 'plain';

  // @ts-expect-error a plain function is not a workflow
  await expect(engine.startWorkflow(plain)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  // @ts-expect-error neither is nothing, which circular imports bring
  await expect(engine.startWorkflow(undefined)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
});

test('a workflow without a name, or with an unprintable one, cannot be defined [59]', () => {
  const define = (name: string): unknown => workflow(name, async () => undefined);

  expect(() => define('')).toThrow(expect.objectContaining({ code: 'NAME_INVALID' }));
  expect(() => define('a\nb')).toThrow(expect.objectContaining({ code: 'NAME_INVALID' }));
  expect(() => step('x'.repeat(256), async () => undefined)).toThrow(expect.objectContaining({ code: 'NAME_INVALID' }));
});

test('a run started by contract runs at the engine that hosts the workflow, be it the same one [59]', async () => {
  const hosted = workflow('by-contract', async (name: string) => `Hello ${name}`);
  const byContract = contract<string, string>('by-contract');
  const engine = await db.launchEngine({ workflows: [hosted] });
  const starter = await db.launchEngine();

  const runs = [await engine.startWorkflow(byContract, 'here'), await starter.startWorkflow(byContract, 'there')];

  expect(await Promise.all(runs.map((run) => run.result()))).toEqual(['Hello here', 'Hello there']);
});

test('a step outside of a run is a plain call, without record, retry or context [62]', async () => {
  let calls = 0;
  const flaky = step(
    'flaky',
    async (by: number) => {
      calls += by;
      throw new Error('as it is');
    },
    { retry: { maxAttempts: 3, delay: 0 } },
  );

  await expect(flaky(5)).rejects.toThrow(new Error('as it is'));

  expect(calls).toBe(5);
});

test('a step inside a step is a plain call: only the outer one is recorded [62]', async () => {
  const inner = step('inner', async () => 'inner result');
  const nested = workflow('nested-step', () =>
    runStep('outer', async () => [await inner(), await runStep('x', () => 1)]),
  );
  const engine = await db.launchEngine({ workflows: [nested] });

  const run = await engine.startWorkflow(nested);

  expect(await run.result()).toEqual(['inner result', 1]);
  expect((await engine.runs.steps(run.id)).map(({ name }) => name)).toEqual(['outer']);
});

test('a workflow can be neither called nor started from inside a step [63]', async () => {
  const child = workflow('from-step-child', async () => 'never');
  const parent = workflow('from-step', async () => {
    const codes: unknown[] = [];
    const codeOf = (error: unknown): unknown => codes.push((error as { code?: unknown }).code);
    await runStep('call', () => child().catch(codeOf));
    await runStep('start', () => startWorkflow(child).catch(codeOf));
    await runStep('sleep', () => sleep(1).catch(codeOf));
    return codes;
  });
  const engine = await db.launchEngine({ workflows: [parent, child] });

  const run = await engine.startWorkflow(parent);

  expect(await run.result()).toEqual(['IN_STEP', 'IN_STEP', 'IN_STEP']);
  expect(await db.query(`select 1 from perdure.runs where workflow = 'from-step-child'`)).toEqual([]);
});

test('names are stored as they were given, whatever the functions are called [65]', async () => {
  const charge = step('Karte belasten 💳', async function minified() {
    return 1;
  });
  const named = workflow('Größe/ändern v2', async function a() {
    await charge();
    await runStep('inline step', () => 2);
  });
  const engine = await db.launchEngine({ workflows: [named] });

  const run = await engine.startWorkflow(named);
  await run.result();

  const rows = await db.query(`select workflow from perdure.runs where id = $1`, [run.id]);
  const steps = await db.query(`select name from perdure.steps where run_id = $1 order by seq`, [run.id]);
  expect(rows).toEqual([{ workflow: 'Größe/ändern v2' }]);
  expect(steps).toEqual([{ name: 'Karte belasten 💳' }, { name: 'inline step' }]);
});

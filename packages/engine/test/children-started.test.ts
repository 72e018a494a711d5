// Runs that other runs start without waiting, and results that runs await of others.

import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { currentRun, queue, runStep, sleep, startWorkflow, workflow, type RunId } from '../src/index.js';
import { blocked, lockRun } from './support/locks.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

test('a run starts another one, whose id it gets, and does not wait for it', async () => {
  const gate = { open: (): void => undefined };
  const opened = new Promise<void>((resolve) => (gate.open = resolve));
  const slow = workflow('slow', () => runStep('work', () => opened.then(() => 'worked')));
  const starter = workflow('starter', () => startWorkflow(slow));
  const engine = await db.launchEngine({ workflows: [starter, slow] });

  const run = await engine.startWorkflow(starter);
  const id = await run.result();
  gate.open();

  expect(id).toBe(`${run.id}/slow`);
  expect(await engine.getHandle(id, slow).result()).toBe('worked');
  expect(await engine.runs.get(id)).toMatchObject({ parentId: run.id });
  expect(await engine.runs.steps(run.id)).toMatchObject([{ kind: 'start', name: 'slow', childId: id, output: id }]);
});

test("a start by the engine's method inside of a run is recorded like one by the function", async () => {
  const other = workflow('by-method', async (name: string) => `Hello ${name}`);
  const starter = workflow('method-starter', async () => {
    const handle = await engine.startWorkflow(other, 'Ada');
    return [handle.id, await handle.result()];
  });
  const engine = await db.launchEngine({ workflows: [starter, other] });

  const run = await engine.startWorkflow(starter);

  expect(await run.result()).toEqual([`${run.id}/by-method`, 'Hello Ada']);
  expect(await engine.runs.steps(run.id)).toMatchObject([{ kind: 'start' }, { kind: 'result', output: 'Hello Ada' }]);
});

test('a replay starts nothing again, and gives the same ids', async () => {
  const replayed: unknown[] = [];
  const noted = workflow('noted', async () => undefined);
  const starter = workflow('replaying-starter', async () => {
    const ids = [await startWorkflow(noted), await startWorkflow(noted), await startWorkflow(noted, undefined, { id: `chosen by ${currentRun().id}` })]; // prettier-ignore
    replayed.push(ids);
    await sleep(150);
    return ids;
  });
  const engine = await db.launchEngine({ workflows: [starter, noted], parkAfter: '50ms' });

  const run = await engine.startWorkflow(starter);
  const ids = await run.result();

  expect(ids).toEqual([`${run.id}/noted`, `${run.id}/noted#2`, `chosen by ${run.id}`]);
  expect(replayed).toEqual([ids, ids]);
  expect(await db.query(`select 1 from perdure.runs where workflow = 'noted'`)).toHaveLength(3);
});

test('a start with an id that is taken gives that run, and one of another workflow is an error that can be caught [56]', async () => {
  const same = workflow('same', async () => 'same');
  const other = workflow('other', async () => 'other');
  const starter = workflow('taken-starter', async () => {
    const id = await startWorkflow(same, undefined, { id: 'taken' });
    const code = await startWorkflow(other, undefined, { id: 'taken' }).catch((error: { code: string }) => error.code);
    return [id, code];
  });
  const engine = await db.launchEngine({ workflows: [starter, same, other] });
  await (await engine.startWorkflow(same, undefined, { id: 'taken' })).result();

  const run = await engine.startWorkflow(starter);

  expect(await run.result()).toEqual(['taken', 'RUN_ID_CONFLICT']);
  expect(await engine.runs.get('taken')).toMatchObject({ parentId: undefined, epoch: 1 });
});

test('a run that is started with a delay begins after it', async () => {
  const later = workflow('later', async () => currentRun().startedAt);
  const starter = workflow('delaying-starter', () => startWorkflow(later, undefined, { delay: 300 }));
  const engine = await db.launchEngine({ workflows: [starter, later] });

  const id = await (await engine.startWorkflow(starter)).result();
  const startedAt = await engine.getHandle(id, later).result();

  const found = await engine.runs.get(id);
  expect(startedAt.getTime() - Number(found?.createdAt)).toBeGreaterThanOrEqual(300);
});

test('the result of another run is recorded once it is there: a replay does not ask again', async () => {
  const replayed: unknown[] = [];
  const target = workflow('awaited', async () => 'first');
  const waiter = workflow('waiter', async (id: string) => {
    replayed.push(await engine.getHandle(id).result());
    await sleep(150);
  });
  const engine = await db.launchEngine({ workflows: [target, waiter], parkAfter: '50ms' });
  const awaited = await engine.startWorkflow(target);
  const run = await engine.startWorkflow(waiter, awaited.id);
  await waitFor(() => engine.runs.steps(run.id), { what: 'the result', until: (steps) => steps.length === 1 });

  await db.query('delete from perdure.runs where id = $1', [awaited.id]);
  await run.result();

  expect(replayed).toEqual(['first', 'first']);
});

test('the error of another run, and that there is none, are thrown where its result is awaited', async () => {
  const failing = workflow('awaited-failing', () => Promise.reject(new RangeError('failed elsewhere')));
  const waiter = workflow(
    'catching-waiter',
    (ids: readonly string[]) =>
    Promise.all(ids.map((id) => engine.getHandle(id).result().catch((error: unknown) => error))), // prettier-ignore
  );
  const engine = await db.launchEngine({ workflows: [failing, waiter] });
  const awaited = await engine.startWorkflow(failing);

  const run = await engine.startWorkflow(waiter, [awaited.id, 'no-such-run']);

  expect(await run.result()).toMatchObject([
    { name: 'RangeError', message: 'failed elsewhere' },
    { code: 'RUN_NOT_FOUND', details: { id: 'no-such-run' } },
  ]);
});

test('several runs await one, and a run awaits several: each gets every result', async () => {
  const target = workflow('shared-target', async (ms: number) => {
    await sleep(ms);
    return ms;
  });
  const waiter = workflow('shared-waiter', (ids: readonly RunId[]) =>
    Promise.all(ids.map((id) => engine.getHandle(id, target).result())),
  );
  const engine = await db.launchEngine({ workflows: [target, waiter], parkAfter: 0 });
  const targets = await Promise.all([300, 100, 200].map((ms) => engine.startWorkflow(target, ms)));

  const runs = await Promise.all(
    Array.from({ length: 5 }, () => engine.startWorkflow(waiter, targets.map(({ id }) => id))), // prettier-ignore
  );

  const results = await Promise.all(runs.map((run) => run.result()));
  expect(results).toEqual(runs.map(() => [300, 100, 200]));
});

test('a result awaited inside of a step is a plain wait, and not recorded by itself', async () => {
  const target = workflow('step-awaited', async () => 'target');
  const waiter = workflow('step-waiter', (id: string) => runStep('await', () => engine.getHandle(id, target).result()));
  const engine = await db.launchEngine({ workflows: [target, waiter] });
  const awaited = await engine.startWorkflow(target);

  const run = await engine.startWorkflow(waiter, awaited.id);

  expect(await run.result()).toBe('target');
  expect((await engine.runs.steps(run.id)).map(({ kind }) => kind)).toEqual(['step']);
});

test('cancelling a run with its children reaches one whose start is under way', async () => {
  const signal = { go: (): void => undefined };
  const told = new Promise<void>((resolve) => (signal.go = resolve));
  const child = workflow('late child', () => sleep('1h'));
  const parent = workflow('hasty', async () => {
    await told;
    await startWorkflow(child, undefined, { id: 'late' });
    await sleep('1h');
  });
  const engine = await db.launchEngine({ workflows: [parent, child] });
  const { id } = await engine.startWorkflow(parent, undefined, { id: 'hasty' });
  const unlock = await lockRun(db, id);
  signal.go();
  await blocked(db, 'start'); // of the child

  const cancelled = engine.runs.cancel(id, { children: true });
  await blocked(db, 'cancel');
  await unlock();

  expect(await cancelled).toBe(true);
  expect(await engine.getHandle('late').status()).toBe('cancelled');
});

test('many starts at once have their places by the order of the calls, however long it takes to find a queue', async () => {
  const kid = workflow('kid', async (name: string) => name);
  const known = queue('known');
  const engine = await db.launchEngine({ workflows: [], queues: [known] });
  const parent = workflow('parent of many', async () => {
    await Promise.all([
      engine.startWorkflows(kid, [{ input: 'first', queue: 'declared later' }]),
      engine.startWorkflows(kid, [{ input: 'second', queue: known }]),
    ]);
  });
  engine.register(parent);
  await (await db.launchEngine({ queues: [queue('declared later')] })).close();

  await (await engine.startWorkflow(parent, undefined, { id: 'many' })).result();

  const started = await db.query("select id, input from perdure.runs where parent_id = 'many' order by id");
  expect(started).toEqual([
    { id: 'many/kid', input: '"first"' },
    { id: 'many/kid#2', input: '"second"' },
  ]);
});

// Starting in a queue: dedup keys, delays, many at once, from within runs, and stopping what is in line.

import { expect, test } from '@jest/globals';
import { waitFor, waitForBlockedBackend } from '@perdure/testing';
import { contract, currentStep, queue, runStep, sleep, startWorkflow, step, workflow } from '../src/index.js';
import { gate } from './support/gate.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { startTcpProxy, type CutMoment } from './support/tcp-proxy.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const mail = queue('mail');
const narrow = queue('narrow', { concurrency: 1 });
const greet = workflow('greet', (name: string) => runStep('compose', () => `Hello ${name}`));

test('a run that is started on an idle queue begins in this process without being claimed', async () => {
  const engine = await db.launchEngine({ workflows: [greet], queues: [mail] });

  const run = await engine.startWorkflow(greet, 'you', { queue: mail });

  expect(await run.result()).toBe('Hello you');
  expect(await engine.runs.get(run.id)).toMatchObject({ epoch: 1, recoveries: 0 });
});

test('a run that begins at once is put in line if its queue was paused elsewhere meanwhile', async () => {
  const engine = await db.launchEngine({ workflows: [greet], queues: [mail] });
  await db.query(`update perdure.queues set is_paused = true where name = 'mail'`);

  const run = await engine.startWorkflow(greet, 'you', { queue: mail });

  expect(run.isNew).toBe(true);
  expect(await engine.queues.explain(run.id)).toMatchObject({ reason: 'queue paused' });
  await engine.queues.resume(mail);
  expect(await run.result()).toBe('Hello you');
});

test('a dedup key is held until its run has finished, in its own queue only [114]', async () => {
  const done = gate();
  const held = workflow('held', () => runStep('wait', () => done.opened));
  const engine = await db.launchEngine({ workflows: [held], queues: [mail, narrow] });
  const first = await engine.startWorkflow(held, undefined, { queue: mail, dedupKey: 'user-3' });
  const again = { id: 'second', dedupKey: 'user-3', onDuplicate: 'reject' } as const;

  const error = await perdureErrorOf(
    engine.startWorkflow(held, undefined, { ...again, queue: mail }),
    'DEDUP_CONFLICT',
  );
  const elsewhere = await engine.startWorkflow(held, undefined, { ...again, queue: narrow });
  done.open();
  await Promise.all([first.result(), elsewhere.result()]);
  const later = await engine.startWorkflow(held, undefined, { ...again, id: 'third', queue: mail });

  expect(error.details).toEqual({ id: 'second', existing: first.id, queue: 'mail', dedupKey: 'user-3' });
  expect(later.isNew).toBe(true);
});

test('a second start with a dedup key gives the handle of the first, also in a bulk [115]', async () => {
  const engine = await db.launchEngine({ queues: [mail] });
  const ask = contract<string>('ask');
  const place = { queue: mail, dedupKey: 'attached' };

  const first = await engine.startWorkflow(ask, 'a', place);
  const second = await engine.startWorkflow(ask, 'b', place);
  const bulk = await engine.startWorkflows(ask, [
    { input: 'c', ...place },
    { input: 'd', queue: mail },
  ]);

  expect(second).toMatchObject({ id: first.id, isNew: false });
  expect(bulk).toMatchObject([{ id: first.id, isNew: false }, { isNew: true }]);
});

test('a dedup key of which the holder finishes at this moment starts a new run [115]', async () => {
  const quick = workflow('quick', () => runStep('work', () => 1));
  const engine = await db.launchEngine({ workflows: [quick], queues: [mail] });

  const results = await Promise.all(
    Array.from({ length: 200 }, async () => {
      const run = await engine.startWorkflow(quick, undefined, { queue: mail, dedupKey: 'contended' });
      return run.result();
    }),
  );

  expect(results).toEqual(Array.from({ length: 200 }, () => 1));
});

test('a dedup conflict inside of a workflow is the same on replay [116]', async () => {
  const ask = contract<void>('asked');
  const errors: unknown[] = [];
  const parent = workflow('parent', async () => {
    const start = startWorkflow(ask, undefined, { queue: mail, dedupKey: 'taken', onDuplicate: 'reject' });
    await start.catch((error: { code: string; message: string }) => errors.push([error.code, error.message]));
    await sleep('200ms');
    return errors.length;
  });
  const engine = await db.launchEngine({ workflows: [parent], queues: [mail], parkAfter: 0 });
  await engine.startWorkflow(ask, undefined, { queue: mail, dedupKey: 'taken' });

  const run = await engine.startWorkflow(parent);

  expect(await run.result()).toBe(2);
  expect(errors[0]).toEqual([expect.stringMatching('DEDUP_CONFLICT'), expect.anything()]);
  expect(errors[1]).toEqual(errors[0]);
});

test('a delayed run starts after its delay, and not before [117]', async () => {
  const engine = await db.launchEngine({ workflows: [greet], queues: [narrow] });

  const run = await engine.startWorkflow(greet, 'you', { queue: narrow, delay: 300 });
  expect(await engine.queues.explain(run.id)).toMatchObject({ reason: 'delayed' });
  await run.result();

  const info = await engine.runs.get(run.id);
  expect(Number(info?.startedAt) - Number(info?.createdAt)).toBeGreaterThanOrEqual(300);
});

test('a delay can be changed, and ended by cancelling and resuming [117]', async () => {
  const engine = await db.launchEngine({ workflows: [greet], queues: [narrow] });
  const hurried = await engine.startWorkflow(greet, 'a', { queue: narrow, delay: '1h' });
  const resumed = await engine.startWorkflow(greet, 'b', { queue: narrow, delay: '1h' });

  await engine.queues.move(hurried.id, { delay: 0 });
  await engine.runs.cancel(resumed.id);
  await engine.runs.resume(resumed.id);

  expect(await hurried.result()).toBe('Hello a');
  await waitFor(() => resumed.status(), { what: 'the resumed run', until: (status) => status === 'succeeded' });
});

test('cancelling takes a run out of the line, frees the slot of a running one, and resuming puts it back [124]', async () => {
  const done = gate();
  const held = workflow('cancelled', () => runStep('wait', () => done.opened));
  const engine = await db.launchEngine({ workflows: [held], queues: [narrow] });
  const start = (): ReturnType<typeof engine.startWorkflow<void, void>> =>
    engine.startWorkflow(held, undefined, { queue: narrow });
  const [running, inLine, next] = [await start(), await start(), await start()];
  const become = (run: typeof running, wanted: string): Promise<unknown> =>
    waitFor(() => run.status(), { what: `a run to be ${wanted}`, until: (status) => status === wanted });
  await become(running, 'running');

  await inLine.cancel();
  await running.cancel();
  await become(next, 'running');
  await engine.runs.resume(running.id);
  expect(await running.status()).toBe('queued');

  done.open();
  await Promise.all([become(running, 'succeeded'), become(next, 'succeeded')]);
  expect(await inLine.status()).toBe('cancelled');
});

test('a bulk that is sent again starts nothing twice, and tells which runs were there [129]', async () => {
  const engine = await db.launchEngine({ queues: [mail] });
  const ask = contract<number>('bulk');
  const starts = Array.from({ length: 2_500 }, (_, index) => ({ id: `bulk-${index}`, input: index, queue: mail }));

  const first = await engine.startWorkflows(ask, starts.slice(0, 2_000));
  const second = await engine.startWorkflows(ask, starts);

  expect(first.every(({ isNew }) => isNew)).toBe(true);
  expect(second.filter(({ isNew }) => isNew)).toHaveLength(500);
  expect(second.map(({ id }) => id)).toEqual(starts.map(({ id }) => id));
});

test('an id that is twice in one bulk is new once', async () => {
  const engine = await db.launchEngine();
  const twice = [
    { id: 'twice in a bulk', input: 'a' },
    { id: 'twice in a bulk', input: 'b' },
  ];

  const runs = await engine.startWorkflows(contract<string>('twice'), twice);

  expect(runs.map(({ isNew }) => isNew)).toEqual([true, false]);
  expect((await engine.runs.get('twice in a bulk'))?.input).toBe('a');
});

test('of two starts with one dedup key in a large bulk, the first makes the run', async () => {
  const engine = await db.launchEngine({ queues: [mail] });
  const ask = contract<string>('two of a key');
  const client = await db.connect();
  await client.query('begin');
  await engine.startWorkflow(ask, 'inside', { id: 'key-0', queue: mail, transaction: client });
  const starts = Array.from({ length: 1_001 }, (_, n) => ({ id: `key-${n}`, input: `${n}`, queue: mail }));
  const keyed = starts.map((start, n) => (n % 999 === 1 ? { ...start, dedupKey: 'twin' } : start));

  const bulk = engine.startWorkflows(ask, keyed);
  await waitForBlockedBackend(await db.connect(), { statement: 'with started as' });
  await client.query('rollback');

  const [first, second] = [(await bulk)[1], (await bulk)[1_000]];
  expect([first, second]).toMatchObject([
    { id: 'key-1', isNew: true },
    { id: 'key-1', isNew: false },
  ]);
});

test('bulks keep their order, however many statements they take, and single starts get in line behind them [129]', async () => {
  const engine = await db.launchEngine({ queues: [mail] });
  const ask = contract<number>('bulk');
  const ids = Array.from({ length: 5_100 }, (_, index) => `bulk-${index}`);
  const toStart = (id: string, index: number) => ({ id, input: index, queue: mail });

  await engine.startWorkflows(ask, ids.slice(0, 4_500).map(toStart));
  await engine.startWorkflow(ask, 0, { id: 'single', queue: mail });
  await engine.startWorkflows(ask, ids.slice(4_500).map(toStart));

  const line = await db.query(`select id from perdure.runs where workflow = 'bulk' order by priority, queue_position`);
  const expected = [...ids.slice(0, 4_500), 'single', ...ids.slice(4_500)];
  expect(line).toEqual(expected.map((id) => ({ id })));
});

test('children that a workflow starts in a queue, one by one or in bulk, are started once [123]', async () => {
  const child = workflow('child', async (n: number) => n);
  const parent = workflow('starter', async () => {
    await startWorkflow(child, 0, { queue: narrow });
    const runs = await engine.startWorkflows(child, [
      { input: 1, queue: narrow },
      { input: 2, queue: narrow },
    ]);
    await sleep('100ms');
    return runs.map(({ id }) => id);
  });
  const engine = await db.launchEngine({ workflows: [parent, child], queues: [narrow], parkAfter: 0 });

  const run = await engine.startWorkflow(parent);
  const ids = await run.result();

  expect(await Promise.all(ids.map((id) => engine.getHandle(id, child).result()))).toEqual([1, 2]);
  expect(await db.query(`select count(*)::int4 as runs from perdure.runs where workflow = 'child'`)).toEqual([
    { runs: 3 },
  ]);
});

test.each<CutMoment>(['before', 'during', 'after'])(
  'many starts without ids whose connection is lost %s the commit are each started once, and new [3]',
  async (moment) => {
    const proxy = await startTcpProxy(db.engineUrl);
    const engine = await db.launchEngine({ database: proxy.url, queues: [mail] });
    const cut = proxy.cut(moment, /perdure_insert_new_runs|insert into "perdure"\.runs/, `lost ${moment}`);

    const starts = ['a', 'b', 'c'].map((letter) => ({ input: `lost ${moment} ${letter}`, queue: mail }));
    const runs = await engine.startWorkflows(contract<string>('unheard'), starts);

    await cut;
    const rows = await db.query(
      `select id from perdure.runs where input like $1 order by queue, partition_key, priority, queue_position`,
      [`%lost ${moment}%`],
    );
    expect(rows).toEqual(runs.map(({ id, isNew }) => ({ id: isNew ? id : 'not new' })));
    await engine.close();
    await proxy.stop();
  },
);

test('a step that is started on its own is a run of one step, with its retries', async () => {
  const shout = step(
    'shout',
    (what: string, times: number) => {
      if (currentStep().attempt < 2) throw new Error('hoarse');
      return what.toUpperCase().repeat(times);
    },
    { retry: { maxAttempts: 3, delay: 1 } },
  );
  const starter = await db.launchEngine({ queues: [narrow] });
  await db.launchEngine({ steps: [shout] });

  const run = await starter.startStep(shout, ['hey', 2], { queue: narrow });

  expect(await run.result()).toBe('HEYHEY');
  expect(await starter.runs.steps(run.id)).toMatchObject([{ name: 'shout', kind: 'step', output: 'HEYHEY' }]);
});

test('what is no step cannot be started as one', async () => {
  const engine = await db.launchEngine();
  const notAStep: unknown = () => Promise.resolve();

  await perdureErrorOf(engine.startStep(notAStep as typeof idle, []), 'OPTION_INVALID');
});

const idle = step('idle', () => undefined);

// Closing: what executes may end, everything else is handed over, and nothing stays behind.

import { expect, test } from '@jest/globals';
import { waitForBlockedBackend } from '@perdure/testing';
import { currentStep, event, runStep, sleep, startWorkflow, stream, workflow, type Engine } from '../src/index.js';
import { gate } from './support/gate.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

test('closing lets an executing step end and be recorded, and another engine goes on behind it [170]', async () => {
  const [began, finish] = [gate(), gate<string>()];
  const executions: string[] = [];
  const on = (engine: string) =>
    workflow('drained', async () => {
      await runStep('slow', () => (executions.push(`${engine}: slow`), began.open(), finish.opened));
      return runStep('next', () => (executions.push(`${engine}: next`), 'done'));
    });
  const closing = await db.launchEngine({ workflows: [on('first')] });
  const run = await closing.startWorkflow(on('first'));
  await began.opened;

  const closed = closing.close();
  finish.open('slow result');
  await closed;
  const other = await db.launchEngine({ workflows: [on('second')] });

  expect(await other.getHandle(run.id).result()).toBe('done');
  expect(executions).toEqual(['first: slow', 'second: next']);
});

test('a time to close that is longer than a timer can be is not over at once', async () => {
  const [began, finish] = [gate(), gate<string>()];
  let isAborted: boolean | undefined;
  const slow = workflow('slow', () =>
    runStep('slow', async () => {
      const { signal } = currentStep();
      began.open();
      await finish.opened;
      isAborted = signal.aborted;
    }),
  );
  const engine = await db.launchEngine({ workflows: [slow] });
  await engine.startWorkflow(slow);
  await began.opened;

  const closed = engine.close({ timeout: '30 days' });
  for (let asked = 0; asked < 20; asked++) await db.query('select 1'); // a timer that has overflowed fires meanwhile
  finish.open('done');
  await closed;

  expect(isAborted).toBe(false);
});

test('a step that does not end in time is told so, and its run is handed over at once [170]', async () => {
  const began = gate();
  let reason: unknown;
  const endless = workflow('endless', () =>
    runStep('endless', () => {
      const { signal } = currentStep();
      signal.addEventListener('abort', () => {
        reason = signal.reason;
      });
      began.open();
      return new Promise<void>(() => undefined);
    }),
  );
  const brief = workflow('endless', () => runStep('endless', () => undefined));
  const closing = await db.launchEngine({ workflows: [endless], lease: '1m' });
  const run = await closing.startWorkflow(endless);
  await began.opened;

  await closing.close({ timeout: 50 });
  const other = await db.launchEngine({ workflows: [brief], lease: '1m' });
  await other.getHandle(run.id).result();

  expect(reason).toMatchObject({ code: 'STEP_ABORTED' });
  expect(await other.runs.get(run.id)).toMatchObject({ status: 'succeeded', recoveries: 0 });
});

test('a child that is called while its engine drains begins in another one, once [123, 170]', async () => {
  const [began, finish] = [gate(), gate()];
  const executions: string[] = [];
  const on = (engine: string) => {
    const child = workflow('begun late', () => runStep('work', () => executions.push(engine)));
    const parent = workflow('draining parent', async () => {
      await runStep('slow', () => (began.open(), finish.opened));
      await startWorkflow(child, undefined, { id: 'begun late' });
      return child();
    });
    return [parent, child] as const;
  };
  const closing = await db.launchEngine({ workflows: on('first') });
  const run = await closing.startWorkflow(on('first')[0]);
  await began.opened;

  const closed = closing.close();
  finish.open();
  await closed;
  const other = await db.launchEngine({ workflows: on('second') });
  await other.getHandle(run.id).result();
  await other.getHandle('begun late').result();

  expect(executions).toEqual(['second', 'second']);
});

test('what runs while its engine drains can use the engine, and fails for no other reason [170]', async () => {
  const [began, finish] = [gate(), gate()];
  const engines: Engine[] = [];
  const other = workflow('other', () => runStep('work', () => 'done'));
  const job = workflow('using the engine', async () => {
    const id = await runStep('start', async () => {
      began.open();
      await finish.opened;
      return (await engines.at(-1)?.startWorkflow(other))?.id ?? '';
    });
    return engines.at(-1)?.getHandle(id).result();
  });
  const engine = await db.launchEngine({ workflows: [job, other] });
  engines.push(engine);
  const run = await engine.startWorkflow(job);
  await began.opened;

  const closed = engine.close();
  finish.open();
  await closed;
  const next = await db.launchEngine({ workflows: [job, other] });
  engines.push(next);

  expect(await next.getHandle(run.id).result()).toBe('done');
  expect(await next.runs.steps(run.id)).toMatchObject([{ name: 'start', error: undefined }, { kind: 'result' }]);
});

test('a run that a claim brings while the engine drains is handed over, and its code does not run [170]', async () => {
  const executed: string[] = [];
  const late = workflow('late', async (name: string) => executed.push(name));
  const engine = await db.launchEngine({ workflows: [late], pollInterval: '50ms', lease: '20s' });
  const holder = await db.connect();
  await holder.query('begin');
  await holder.query('lock table perdure.queues in access exclusive mode');
  await waitForBlockedBackend(await db.connect(), { statement: 'full_queues as materialized' });
  await db.query(
    `insert into perdure.runs (id, workflow, status, input, due_at) values ('late', 'late', 'queued', '"x"', now() - interval '1 minute')`,
  );

  const closed = engine.close();
  await holder.query('commit');
  await closed;

  expect(executed).toEqual([]);
  expect(await db.query(`select status, due_at <= now() as is_due from perdure.runs where id = 'late'`)).toEqual([
    { status: 'waiting', is_due: true },
  ]);
});

test('an engine that closes or has closed accepts neither launches nor starts [58, 170]', async () => {
  const [began, finish] = [gate(), gate()];
  const job = workflow('slow', () => runStep('slow', () => (began.open(), finish.opened)));
  const engine = await db.launchEngine({ workflows: [job] });
  await engine.startWorkflow(job);
  await began.opened;

  const closed = engine.close();

  await perdureErrorOf(engine.launch(), 'ENGINE_CLOSED');
  await perdureErrorOf(engine.startWorkflow(job), 'ENGINE_CLOSED');
  finish.open();
  await closed;
  await perdureErrorOf(engine.launch(), 'ENGINE_CLOSED');
  await engine.close();
});

test('a closed engine leaves no row that says it lives, and no run that it owns [170, 174]', async () => {
  const job = workflow('left waiting', () => sleep('1 day'));
  const engine = await db.launchEngine({ workflows: [job] });
  await engine.startWorkflow(job);
  const [executor] = await db.query<{ id: string }>(
    'select id from perdure.executors order by started_at desc limit 1',
  );

  await engine.close();

  const rows =
    'select id from perdure.executors where id = $1 union all select executor from perdure.runs where executor = $1';
  expect(executor).toBeDefined();
  expect(await db.query(rows, [executor?.id])).toEqual([]);
});

test('a process that launches and closes engines with work in memory ends by itself [174]', async () => {
  const child = db.spawn('closing');

  const { resources } = await child.message('closed', { timeoutMs: 20_000 });
  expect(await child.exited).toEqual({ code: 0, signal: null });
  expect(resources).not.toContain('Timeout');
});

test('who waits for an event or reads a stream from outside hears of the close, and nothing keeps the process alive [170, 174]', async () => {
  const [named, told] = [event<string>('never set'), stream<string>('never written')];
  const idle = workflow('idle', () => sleep('1 day'));
  const engine = await db.launchEngine({ workflows: [idle] });
  const { id } = await engine.startWorkflow(idle);
  const reading = engine.readStream(id, told).next();
  const waits = [engine.getEvent(id, named), engine.getEvent(id, named, { timeout: '1 day' }), reading];
  const outcomes = Promise.all(waits.map((wait) => perdureErrorOf(wait, 'ENGINE_CLOSED')));

  await engine.close();

  expect(await outcomes).toHaveLength(3);
});

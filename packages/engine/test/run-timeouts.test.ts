// Deadlines of runs: when they begin, that nothing outlives them, and what survives a crash.

import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { currentRun, currentStep, runStep, sleep, workflow, type Engine, type RunInfo } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

const never = (): Promise<never> => new Promise(() => undefined);

async function find(engine: Engine, id: string): Promise<RunInfo> {
  const run = await engine.runs.get(id);
  if (run === undefined) throw new Error(`there is no run ${id}`);
  return run;
}

/** How long after its deadline the run was ended. */
async function lateMs(engine: Engine, id: string): Promise<number> {
  const { finishedAt, deadlineAt } = await find(engine, id);
  return Number(finishedAt) - Number(deadlineAt);
}

test('a run that takes longer than its timeout is cancelled, and its result rejects with RUN_TIMED_OUT [68]', async () => {
  const slow = workflow('slow', never, { timeout: 100 });
  const engine = await db.launchEngine({ workflows: [slow] });

  const run = await engine.startWorkflow(slow);

  await expect(run.result()).rejects.toMatchObject({
    code: 'RUN_TIMED_OUT',
    details: { id: run.id, timeoutMs: 100 },
  });
  expect(await find(engine, run.id)).toMatchObject({ status: 'cancelled', error: { code: 'RUN_TIMED_OUT' } });
});

test('a run that is done in time is not touched when its deadline comes [68]', async () => {
  const quick = workflow('quick', async () => 'done', { timeout: 50 });
  const witness = workflow('witness', () => sleep(200));
  const engine = await db.launchEngine({ workflows: [quick, witness] });
  const run = await engine.startWorkflow(quick);

  await (await engine.startWorkflow(witness)).result();

  expect(await run.result()).toBe('done');
  expect(await find(engine, run.id)).toMatchObject({ status: 'succeeded', error: undefined });
});

test('the timeout of the start takes the place of that of the workflow [68]', async () => {
  const slow = workflow('overruled', never, { timeout: '1h' });
  const engine = await db.launchEngine({ workflows: [slow] });

  const run = await engine.startWorkflow(slow, undefined, { timeout: 100 });

  await expect(run.result()).rejects.toMatchObject({ code: 'RUN_TIMED_OUT', details: { timeoutMs: 100 } });
});

test('nothing that the code does past the deadline counts: it cannot catch it, and its steps are not recorded [68]', async () => {
  const reached: string[] = [];
  const stubborn = workflow('stubborn', async () => {
    try {
      await runStep('work', () => new Promise((resolve) => currentStep().signal.addEventListener('abort', resolve)));
      reached.push('went on');
    } catch {
      reached.push('caught');
    } finally {
      reached.push('cleaned up');
    }
  });
  const witness = workflow('witness-of-stubborn', () => sleep(200));
  const engine = await db.launchEngine({ workflows: [stubborn, witness] });

  const run = await engine.startWorkflow(stubborn, undefined, { timeout: 50 });
  await run.result().catch(() => undefined);
  await (await engine.startWorkflow(witness)).result();

  expect(reached).toEqual([]);
  expect(await engine.runs.steps(run.id)).toEqual([]);
});

test('the time runs from the start of the execution, not from that of the wait before it [69]', async () => {
  const delayed = workflow('delayed', async () => {
    const { startedAt, deadlineAt } = currentRun();
    return Number(deadlineAt) - Number(startedAt);
  });
  const engine = await db.launchEngine({ workflows: [delayed] });

  const run = await engine.startWorkflow(delayed, undefined, { delay: 400, timeout: '300ms' });
  const queued = await find(engine, run.id);

  expect(queued.deadlineAt).toBeUndefined();
  expect(Math.abs((await run.result()) - 300)).toBeLessThanOrEqual(1); // fractions of milliseconds
});

test('the deadline survives the death of the process, and is not moved [70]', async () => {
  const endless = workflow('deadline-survives', async () => {
    await runStep('begin', () => 'begun');
    await runStep('work for ever', never);
  });
  const child = db.spawn('deadline', { args: ['deadline-survives', '4s'] });
  await child.message('working');
  const engine = await db.launchEngine({ workflows: [endless] });
  const before = await find(engine, 'deadline-survives');

  child.kill('SIGKILL');

  await expect(engine.getHandle('deadline-survives').result()).rejects.toMatchObject({ code: 'RUN_TIMED_OUT' });
  const after = await find(engine, 'deadline-survives');
  expect(after.deadlineAt).toEqual(before.deadlineAt);
  expect([before.epoch < after.epoch, after.recoveries]).toEqual([true, 1]);
  expect(await lateMs(engine, 'deadline-survives')).toBeLessThan(1_000);
});

test('a run whose deadline passed while no process lived is cancelled by the next one, without running its code [70]', async () => {
  let calls = 0;
  const counted = workflow('deadline-passed', async () => void (calls += 1));
  const child = db.spawn('deadline', { args: ['deadline-passed', '500ms'], engine: { lease: '500ms' } });
  await child.message('working');
  child.kill('SIGKILL');
  await child.exited;
  const isOver = `select 1 from perdure.runs where id = 'deadline-passed' and deadline_at < now()`;
  await waitFor(async () => (await db.query(isOver)).length === 1, { what: 'the deadline' });

  const engine = await db.launchEngine({ workflows: [counted] });

  await expect(engine.getHandle('deadline-passed').result()).rejects.toMatchObject({ code: 'RUN_TIMED_OUT' });
  expect(calls).toBe(0);
});

test('a run that sleeps in memory past its deadline is cancelled at its deadline [74]', async () => {
  const sleeper = workflow('sleeper', () => sleep('5s'));
  const engine = await db.launchEngine({ workflows: [sleeper] });

  const run = await engine.startWorkflow(sleeper, undefined, { timeout: 100 });

  await expect(run.result()).rejects.toMatchObject({ code: 'RUN_TIMED_OUT' });
  expect(await lateMs(engine, run.id)).toBeLessThan(500);
});

test('a run that sleeps parked past its deadline is cancelled at its deadline [74]', async () => {
  const sleeper = workflow('parked-sleeper', () => sleep('1h'));
  const engine = await db.launchEngine({ workflows: [sleeper] });

  const run = await engine.startWorkflow(sleeper, undefined, { timeout: 300 });
  await waitFor(() => run.status(), { what: 'the run to be parked', until: (status) => status === 'waiting' });

  await expect(run.result()).rejects.toMatchObject({ code: 'RUN_TIMED_OUT' });
  expect(await lateMs(engine, run.id)).toBeLessThan(500);
});

test('a sleep that ends before the deadline is not cut [74]', async () => {
  const sleeper = workflow('sleeper-in-time', async () => {
    await sleep(200);
    return 'awake';
  });
  const engine = await db.launchEngine({ workflows: [sleeper], parkAfter: 0 });

  const run = await engine.startWorkflow(sleeper, undefined, { timeout: '1m' });

  expect(await run.result()).toBe('awake');
});

test('a run that is parked for an open-ended wait is cancelled at its deadline [74]', async () => {
  const child = workflow('endless-child', () => sleep('1h'));
  const waiting = workflow('waits-for-run', async (id: string) => engine.getHandle(id).result());
  const engine = await db.launchEngine({ workflows: [child, waiting], parkAfter: 0 });
  const target = await engine.startWorkflow(child);

  const run = await engine.startWorkflow(waiting, target.id, { timeout: 300 });
  await waitFor(() => run.status(), { what: 'the run to be parked', until: (status) => status === 'waiting' });

  await expect(run.result()).rejects.toMatchObject({ code: 'RUN_TIMED_OUT' });
  expect(await lateMs(engine, run.id)).toBeLessThan(500);
  expect(await target.status()).toBe('waiting');
});

test('a timeout of 200 ms is enforced at once, not at some poll [76]', async () => {
  const slow = workflow('200ms', never, { timeout: '200ms' });
  const engine = await db.launchEngine({ workflows: [slow] });

  const runs = await Promise.all(Array.from({ length: 10 }, () => engine.startWorkflow(slow)));
  await Promise.allSettled(runs.map((run) => run.result()));

  const late = await Promise.all(runs.map(({ id }) => lateMs(engine, id)));
  const sorted = late.toSorted((a, b) => a - b);
  expect(sorted[0]).toBeLessThan(100); // 50 ms on a machine that does nothing else
  expect(sorted.at(-1)).toBeLessThan(500);
});

test('no run is cancelled before its deadline [76]', async () => {
  const slow = workflow('not-early', never, { timeout: 50 });
  const engine = await db.launchEngine({ workflows: [slow] });

  const run = await engine.startWorkflow(slow);
  await run.result().catch(() => undefined);

  // A few milliseconds are the error of the estimate of the database's clock.
  expect(await lateMs(engine, run.id)).toBeGreaterThan(-20);
});

test('a timeout beyond 2^31 milliseconds ends nothing today [76]', async () => {
  const patient = workflow('patient', () => sleep(100), { timeout: '1000 days' });
  const engine = await db.launchEngine({ workflows: [patient] });

  const run = await engine.startWorkflow(patient);

  expect(await run.result()).toBeUndefined();
});

test('a run that timed out and is resumed gets its time anew [68]', async () => {
  const gate = { isOpen: false };
  const slow = workflow('resumed', () => (gate.isOpen ? Promise.resolve('done') : never()), { timeout: '2s' });
  const engine = await db.launchEngine({ workflows: [slow] });
  const run = await engine.startWorkflow(slow, undefined, { timeout: 50 });
  await run.result().catch(() => undefined);
  const before = await find(engine, run.id);
  gate.isOpen = true;

  await engine.runs.resume(run.id);

  expect(await engine.getHandle(run.id).result()).toBe('done');
  expect(Number((await find(engine, run.id)).deadlineAt)).toBeGreaterThan(Number(before.deadlineAt));
});

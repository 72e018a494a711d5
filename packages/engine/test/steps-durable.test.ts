// Attempts and what interrupts them: crashes, cancellation, and waits that are too long for memory.

import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { currentRun, currentStep, runStep, workflow, type RetryOptions } from '../src/index.js';
import { Database } from '../src/store/database.js';
import { recordAttempt } from '../src/store/steps.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

const fail = (): Promise<never> => Promise.reject(new Error(`failure ${currentStep().attempt}`));
const always = (delay: string): RetryOptions => ({ maxAttempts: 5, delay, backoff: 1, jitter: false });

interface Attempt {
  readonly attempt: number;
  readonly next_at: Date;
}

function attemptsOf(runId: string): Promise<Attempt[]> {
  const sql = 'select attempt, next_at from perdure.step_attempts where run_id = $1 order by attempt';
  return db.query<Attempt & Record<string, unknown>>(sql, [runId]);
}

function waitForAttempts(runId: string, count: number): Promise<Attempt[]> {
  return waitFor(() => attemptsOf(runId), {
    what: `${count} failed attempts of run ${runId}`,
    until: (attempts) => attempts.length === count,
  });
}

async function databaseTime(): Promise<Date> {
  const [row] = await db.query<{ now: Date }>('select clock_timestamp() as now');
  return row?.now ?? new Date(0);
}

test('the number of the next attempt and its time survive the death of the process [44]', async () => {
  const begins: { attempt: number; at: Date }[] = [];
  const goesOn = workflow('attempt-survives', () =>
    runStep('charge', async () => void begins.push({ attempt: currentStep().attempt, at: await databaseTime() })),
  );
  const child = db.spawn('failing-step', { args: ['attempt-survives', '4s'] });
  const [recorded] = await waitForAttempts('attempt-survives', 1);

  child.kill('SIGKILL');
  const engine = await db.launchEngine({ workflows: [goesOn] });
  await engine.getHandle('attempt-survives').result();

  expect(begins).toMatchObject([{ attempt: 2 }]);
  // A few milliseconds are the error of the estimate of the database's clock.
  expect(begins[0]?.at.getTime()).toBeGreaterThan(Number(recorded?.next_at) - 20);
  expect(await attemptsOf('attempt-survives')).toEqual([recorded]);
});

test('the exhaustion counts attempts of processes that died, and has their errors [44]', async () => {
  const goesOn = workflow('attempts-counted', () =>
    runStep('charge', fail, { retry: { maxAttempts: 3, delay: 0, shouldRetry: () => true } }),
  );
  const child = db.spawn('failing-step', {
    args: ['attempts-counted', '0ms'],
    crashAt: 'after:perdure_insert_attempt:2',
  });
  await child.exited;

  const engine = await db.launchEngine({ workflows: [goesOn] });
  const result = engine.getHandle('attempts-counted').result();

  await expect(result).rejects.toMatchObject({
    code: 'STEP_RETRIES_EXHAUSTED',
    details: { attempts: 3 },
    errors: [
      { name: 'RangeError', message: 'failure 1 of the child' },
      { name: 'RangeError', message: 'failure 2 of the child' },
      { name: 'Error', message: 'failure 3' },
    ],
  });
});

test('an attempt whose failure was not recorded before the crash runs again under its number [44]', async () => {
  const seen: number[] = [];
  const goesOn = workflow('attempt-again', () => runStep('charge', () => void seen.push(currentStep().attempt)));
  const child = db.spawn('failing-step', {
    args: ['attempt-again', '0ms'],
    crashAt: 'before:perdure_insert_attempt:2',
  });
  await child.exited;

  const engine = await db.launchEngine({ workflows: [goesOn] });
  await engine.getHandle('attempt-again').result();

  expect(seen).toEqual([2]);
});

test('a long wait for the next attempt releases the run from memory, until it is due [45]', async () => {
  const failing = workflow('long-backoff', () => runStep('charge', fail, { retry: always('1h') }));
  const engine = await db.launchEngine({ workflows: [failing] });

  const run = await engine.startWorkflow(failing);
  const parked = await waitFor(() => engine.runs.get(run.id), {
    what: 'the run to be parked',
    until: (found) => found?.status === 'waiting',
  });

  const [attempt] = await attemptsOf(run.id);
  expect(parked.executor).toBeUndefined();
  expect(parked.dueAt).toEqual(attempt?.next_at);
});

test('a run that was parked between attempts goes on with the next one when it is due [45]', async () => {
  const seen: unknown[] = [];
  const failing = workflow('parked-backoff', () =>
    runStep(
      'charge',
      () => {
        seen.push([currentRun().epoch, currentStep().attempt]);
        return currentStep().attempt < 3 ? fail() : 'charged';
      },
      { retry: always('300ms') },
    ),
  );
  const engine = await db.launchEngine({ workflows: [failing], parkAfter: '100ms' });

  const run = await engine.startWorkflow(failing);

  expect(await run.result()).toBe('charged');
  expect(seen).toEqual([[1, 1], [2, 2], [3, 3]]); // prettier-ignore
});

test('a run stays in memory while another of its steps executes, however long the wait for an attempt [45]', async () => {
  const gate = { open: (): void => undefined };
  const opened = new Promise<void>((resolve) => (gate.open = resolve));
  const both = workflow('busy-backoff', () =>
    Promise.race([
      runStep('charge', fail, { retry: always('1h') }),
      runStep('work', () => opened.then(() => 'worked')),
    ]),
  );
  const engine = await db.launchEngine({ workflows: [both], parkAfter: 0 });
  const run = await engine.startWorkflow(both);
  await waitForAttempts(run.id, 1);

  gate.open();

  expect(await run.result()).toBe('worked');
  expect(await engine.runs.get(run.id)).toMatchObject({ epoch: 1 });
});

test.each([
  ['in memory', '5s'],
  ['parked', '1h'],
])('cancelling between attempts, %s, ends the run at once and uses up none [43]', async (place, delay) => {
  const failing = workflow(`cancelled ${place}`, () => runStep('charge', fail, { retry: always(delay) }));
  const engine = await db.launchEngine({ workflows: [failing] });
  const run = await engine.startWorkflow(failing);
  await waitForAttempts(run.id, 1);
  const isParked = delay === '1h';
  await waitFor(() => run.status(), { what: 'the wait', until: (status) => !isParked || status === 'waiting' });

  await run.cancel();

  await expect(run.result()).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
  expect(await attemptsOf(run.id)).toHaveLength(1);
});

test('a run that is cancelled between attempts and resumed goes on with the next attempt [43]', async () => {
  const resumed = workflow('resumed-attempts', () =>
    runStep('charge', () => (currentStep().attempt === 1 ? fail() : currentStep().attempt), { retry: always('1h') }),
  );
  const engine = await db.launchEngine({ workflows: [resumed] });
  const run = await engine.startWorkflow(resumed);
  await waitForAttempts(run.id, 1);
  await run.cancel();
  await db.query('update perdure.step_attempts set next_at = now() where run_id = $1', [run.id]);

  await engine.runs.resume(run.id);

  expect(await engine.getHandle(run.id).result()).toBe(2);
});

test('cancelling during an attempt fires its signal, and what it then throws is no failed attempt [43]', async () => {
  let reason: unknown;
  const attempt = { began: (): void => undefined };
  const begun = new Promise<void>((resolve) => (attempt.began = resolve));
  const working = workflow('cancelled-attempt', () =>
    runStep(
      'charge',
      () =>
        new Promise((_resolve, reject) => {
          const { signal } = currentStep();
          signal.addEventListener('abort', () => {
            reason = signal.reason;
            reject(new Error('stopped'));
          });
          attempt.began();
        }),
      { retry: always('0ms') },
    ),
  );
  const engine = await db.launchEngine({ workflows: [working] });
  const run = await engine.startWorkflow(working);
  await begun;

  await run.cancel();

  await expect(run.result()).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
  expect(reason).toMatchObject({ code: 'RUN_CANCELLED', details: { id: run.id } });
  expect(await attemptsOf(run.id)).toEqual([]);
});

test('a cancelled attempt that never ends keeps no process alive [43]', async () => {
  const child = db.spawn('endless-step');

  await child.message('closed');

  expect(await child.exited).toEqual({ code: 0, signal: null });
});

test('a failed attempt that the database refuses to record ends no process, and the run goes on when it can [44]', async () => {
  const retried = workflow('refused-attempt', () =>
    runStep('charge', () => (currentStep().attempt === 1 ? fail() : 'charged'), { retry: always('0ms') }),
  );
  const engine = await db.launchEngine({ workflows: [retried], schema: 'refusing', pollInterval: '50ms' });
  await db.query('alter table refusing.step_attempts add constraint refuse check (attempt > 1)');
  const run = await engine.startWorkflow(retried);
  await waitFor(() => run.status(), { what: 'the run to be given back', until: (status) => status === 'waiting' });

  await db.query('alter table refusing.step_attempts drop constraint refuse');
  await db.query('update refusing.runs set due_at = now() where id = $1', [run.id]); // it waits before it tries again

  expect(await run.result()).toBe('charged');
});

test('recording an attempt again, because the answer got lost, finds the time that was recorded first [44]', async () => {
  const held = workflow('held', () => runStep('charge', () => new Promise<void>(() => undefined)));
  const engine = await db.launchEngine({ workflows: [held] });
  const { id: runId } = await engine.startWorkflow(held);
  const timeouts = { connectTimeoutMs: 5_000, silenceMs: 30_000, vitalSilenceMs: 6_000 };
  const database = await Database.open({ connection: db.url, schema: 'perdure', poolSize: 1, ...timeouts });
  const attempt = { runId, epoch: 1, name: 'charge', occurrence: 1, attempt: 1, error: '{}', delayMs: 60_000 };

  const times = [await recordAttempt(database, attempt), await recordAttempt(database, attempt)];
  const byAnOwnerBefore = await recordAttempt(database, { ...attempt, epoch: 0 });
  await database.close();

  expect(times[0]).toEqual(expect.any(Number));
  expect(times[1]).toBe(times[0]);
  expect(byAnOwnerBefore).toBeUndefined();
});

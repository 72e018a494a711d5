// Time limits of attempts, the signals that tell of them, and attempts that outlive their time.

import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { currentStep, runStep, step, workflow } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

const never = (): Promise<never> => new Promise(() => undefined);

test('an attempt that takes too long fails the step [38]', async () => {
  const slow = workflow('too-slow', () => runStep('charge', never, { timeout: 50 }));
  const engine = await db.launchEngine({ workflows: [slow] });

  const run = await engine.startWorkflow(slow);

  await expect(run.result()).rejects.toMatchObject({
    code: 'STEP_TIMED_OUT',
    details: { step: 'charge', timeoutMs: 50 },
  });
});

test('an attempt that took too long is tried again [38]', async () => {
  const slow = workflow('slow-once', () =>
    runStep('charge', () => (currentStep().attempt === 1 ? never() : 'charged'), {
      timeout: 50,
      retry: { maxAttempts: 2, delay: 0 },
    }),
  );
  const engine = await db.launchEngine({ workflows: [slow] });

  const run = await engine.startWorkflow(slow);

  expect(await run.result()).toBe('charged');
});

test('timeouts use up the attempts as other errors do [38]', async () => {
  const slow = workflow('slow-and-broken', () =>
    runStep('charge', () => (currentStep().attempt === 2 ? Promise.reject(new Error('declined')) : never()), {
      timeout: 50,
      retry: { maxAttempts: 3, delay: 0 },
    }),
  );
  const engine = await db.launchEngine({ workflows: [slow] });

  const run = await engine.startWorkflow(slow);

  await expect(run.result()).rejects.toMatchObject({
    code: 'STEP_RETRIES_EXHAUSTED',
    errors: [{ code: 'STEP_TIMED_OUT' }, { message: 'declined' }, { code: 'STEP_TIMED_OUT' }],
  });
});

test('shouldRetry hears of a timeout [38]', async () => {
  const heard: unknown[] = [];
  const slow = workflow('slow-verdict', () =>
    runStep('charge', never, {
      timeout: 50,
      retry: { maxAttempts: 2, delay: 0, shouldRetry: (error) => heard.push(error) > 9 },
    }),
  );
  const engine = await db.launchEngine({ workflows: [slow] });

  const run = await engine.startWorkflow(slow);

  await expect(run.result()).rejects.toMatchObject({ code: 'STEP_TIMED_OUT' });
  expect(heard).toMatchObject([{ code: 'STEP_TIMED_OUT' }]);
});

test("a timeout fires the attempt's signal with the error as its reason, and each attempt has its own [39]", async () => {
  const signals: AbortSignal[] = [];
  const slow = workflow('signalled', () =>
    runStep(
      'charge',
      () => {
        const { attempt, signal } = currentStep();
        signals.push(signal);
        return attempt === 1 ? never() : 'charged';
      },
      { timeout: 100, retry: { maxAttempts: 2, delay: 0 } },
    ),
  );
  const engine = await db.launchEngine({ workflows: [slow] });

  const run = await engine.startWorkflow(slow);
  await run.result();

  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  expect(signals[0]?.reason).toMatchObject({ code: 'STEP_TIMED_OUT' });
});

test('without a timeout, the signal fires neither during the attempt nor after it [39]', async () => {
  let signal: AbortSignal | undefined;
  const quick = workflow('unsignalled', async () => {
    await runStep('charge', () => void (signal = currentStep().signal));
    await runStep('next', () => undefined);
  });
  const engine = await db.launchEngine({ workflows: [quick] });

  const run = await engine.startWorkflow(quick);
  await run.result();

  expect(signal?.aborted).toBe(false);
});

test('a signal that is asked for after the time is up has fired already [39]', async () => {
  let late: AbortSignal | undefined;
  const slow = workflow('asks-late', async () => {
    const attempt = runStep(
      'charge',
      async () => {
        const context = currentStep();
        await new Promise((resolve) => setTimeout(resolve, 100));
        late = context.signal;
      },
      { timeout: 20 },
    );
    await attempt.catch(() => undefined);
  });
  const engine = await db.launchEngine({ workflows: [slow] });

  const run = await engine.startWorkflow(slow);
  await run.result();

  expect((await waitFor(() => late, { what: 'the attempt to ask for its signal' })).aborted).toBe(true);
});

test('the result of an attempt that ends after its time is dropped [40]', async () => {
  const ends: string[] = [];
  const zombie = workflow('zombie', async () => {
    const result = await runStep(
      'charge',
      async () => {
        const { attempt, signal } = currentStep();
        if (attempt === 2) return 'second';
        await once(signal, 'abort');
        ends.push('first');
        return 'first';
      },
      { timeout: 50, retry: { maxAttempts: 2, delay: 20, jitter: false } },
    );
    await runStep('wait for the zombie', () => waitFor(() => ends.length > 0, { what: 'the zombie to end' }));
    return result;
  });
  const engine = await db.launchEngine({ workflows: [zombie] });

  const run = await engine.startWorkflow(zombie);

  expect(await run.result()).toBe('second');
  expect(await engine.runs.steps(run.id)).toMatchObject([{ name: 'charge', output: 'second' }, {}]);
});

test('an attempt that rejects after its time ends no process [40]', async () => {
  const child = db.spawn('late-rejection');

  expect(await child.message('done')).toMatchObject({ result: 2 });
  expect(await child.exited).toEqual({ code: 0, signal: null });
});

test.each([0, -1, NaN, Infinity, '', '5 parsecs', '-1s'])('a step cannot have the timeout %p [41]', (timeout) => {
  const define = (): unknown => step('charge', async () => undefined, { timeout });

  expect(define).toThrow(expect.objectContaining({ code: expect.stringMatching(/^(OPTION|DURATION)_INVALID$/) }));
});

test('a fault in the options of an inline step is thrown where it is called [41]', async () => {
  const broken = workflow('broken-options', () => runStep('charge', () => 'charged', { timeout: 0 }));
  const engine = await db.launchEngine({ workflows: [broken] });

  const run = await engine.startWorkflow(broken);

  await expect(run.result()).rejects.toMatchObject({ code: 'OPTION_INVALID', details: { option: 'timeout' } });
});

test('a timeout of more than 2^31 milliseconds is not over at once [41]', async () => {
  const patient = workflow('patient', () =>
    runStep('charge', () => new Promise((resolve) => setTimeout(resolve, 50, 'charged')), { timeout: '60 days' }),
  );
  const engine = await db.launchEngine({ workflows: [patient] });

  const run = await engine.startWorkflow(patient);

  expect(await run.result()).toBe('charged');
});

test("the run's deadline beats the step's timeout [42]", async () => {
  let reason: unknown;
  const slow = workflow('deadline-first', () =>
    runStep(
      'charge',
      async () => {
        const { signal } = currentStep();
        signal.addEventListener('abort', () => void (reason = signal.reason));
        await never();
      },
      { timeout: 60_000, retry: { maxAttempts: 3, delay: 0 } },
    ),
  );
  const engine = await db.launchEngine({ workflows: [slow] });

  const run = await engine.startWorkflow(slow, undefined, { timeout: 100 });

  await expect(run.result()).rejects.toMatchObject({ code: 'RUN_TIMED_OUT', details: { timeoutMs: 100 } });
  expect(await run.status()).toBe('cancelled');
  expect(reason).toMatchObject({ code: 'RUN_TIMED_OUT' });
  expect(await engine.runs.steps(run.id)).toEqual([]);
});

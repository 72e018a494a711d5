// Attempts of a step: how many, how far apart, who decides, and what remains of them.

import { expect, test } from '@jest/globals';
import { currentStep, isPerdureError, runStep, workflow, type PerdureError } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

test('a step is tried once by default, and its first error fails it [31]', async () => {
  let calls = 0;
  const failing = workflow('no-retry', () =>
    runStep('charge', () => {
      calls += 1;
      throw new RangeError('declined');
    }),
  );
  const engine = await db.launchEngine({ workflows: [failing] });

  const run = await engine.startWorkflow(failing);

  await expect(run.result()).rejects.toThrow(new RangeError('declined'));
  expect(calls).toBe(1);
});

test('a step is tried exactly maxAttempts times [32]', async () => {
  const attempts: number[] = [];
  const failing = workflow('exact-attempts', () =>
    runStep(
      'charge',
      () => {
        attempts.push(currentStep().attempt);
        throw new Error('declined');
      },
      { retry: { maxAttempts: 4, delay: 0 } },
    ),
  );
  const engine = await db.launchEngine({ workflows: [failing] });

  const run = await engine.startWorkflow(failing);

  await expect(run.result()).rejects.toMatchObject({ code: 'STEP_RETRIES_EXHAUSTED' });
  expect(attempts).toEqual([1, 2, 3, 4]);
});

test('a step that succeeds in a later attempt is not tried again [32]', async () => {
  let calls = 0;
  const flaky = workflow('flaky', () =>
    runStep('charge', () => (++calls < 3 ? Promise.reject(new Error('declined')) : calls), {
      retry: { maxAttempts: 10, delay: 0 },
    }),
  );
  const engine = await db.launchEngine({ workflows: [flaky] });

  const run = await engine.startWorkflow(flaky);

  expect(await run.result()).toBe(3);
  expect(calls).toBe(3);
});

test('the waits between attempts grow by the factor up to the cap [32]', async () => {
  const failing = workflow('growing-waits', () =>
    runStep('charge', () => Promise.reject(new Error('declined')), {
      retry: { maxAttempts: 5, delay: 20, backoff: 3, maxDelay: 100, jitter: false },
    }),
  );
  const engine = await db.launchEngine({ workflows: [failing] });

  const run = await engine.startWorkflow(failing);
  await run.result().catch(() => undefined);

  const waits = await db.query<{ ms: number }>(
    `select extract(milliseconds from next_at - failed_at)::int as ms from perdure.step_attempts
     where run_id = $1 order by attempt`,
    [run.id],
  );
  expect(waits.map(({ ms }) => ms)).toEqual([20, 60, 100, 100]);
});

test('an attempt begins no sooner than its recorded time [32]', async () => {
  const begins: Date[] = [];
  const failing = workflow('timely-attempts', () =>
    runStep(
      'charge',
      async () => {
        const [row] = await db.query<{ now: Date }>('select clock_timestamp() as now');
        if (row !== undefined) begins.push(row.now);
        throw new Error('declined');
      },
      { retry: { maxAttempts: 3, delay: 50, jitter: false } },
    ),
  );
  const engine = await db.launchEngine({ workflows: [failing] });

  const run = await engine.startWorkflow(failing);
  await run.result().catch(() => undefined);

  const due = await db.query<{ at: Date }>(
    'select next_at as at from perdure.step_attempts where run_id = $1 order by attempt',
    [run.id],
  );
  // A few milliseconds are the error of the estimate of the database's clock.
  const earlyMs = due.map(({ at }, index) => at.getTime() - (begins[index + 1]?.getTime() ?? 0));
  expect(earlyMs).toHaveLength(2);
  expect(Math.max(...earlyMs)).toBeLessThan(20);
});

test('past the last attempt, the error has the errors of all attempts and the last one as its cause [33]', async () => {
  let calls = 0;
  const failing = workflow('exhausted', () =>
    runStep('charge', () => Promise.reject(new RangeError(`failure ${++calls}`)), {
      retry: { maxAttempts: 3, delay: 0 },
    }),
  );
  const engine = await db.launchEngine({ workflows: [failing] });

  const run = await engine.startWorkflow(failing);
  const error = await run.result().catch((thrown: unknown) => thrown);

  expect(error).toMatchObject({
    code: 'STEP_RETRIES_EXHAUSTED',
    details: { step: 'charge', attempts: 3 },
    cause: new RangeError('failure 3'),
    errors: [new RangeError('failure 1'), new RangeError('failure 2'), new RangeError('failure 3')],
  });
});

test('workflow code catches the exhaustion like any error [33]', async () => {
  const caught = workflow('caught', async () => {
    try {
      return await runStep('charge', () => Promise.reject(new Error('declined')), {
        retry: { maxAttempts: 2, delay: 0 },
      });
    } catch (error) {
      const isExhausted = isPerdureError(error, 'STEP_RETRIES_EXHAUSTED');
      return { isExhausted, errors: (error as PerdureError).errors?.length };
    }
  });
  const engine = await db.launchEngine({ workflows: [caught] });

  const run = await engine.startWorkflow(caught);

  expect(await run.result()).toEqual({ isExhausted: true, errors: 2 });
});

test('shouldRetry that answers false ends the step at once with the original error [34]', async () => {
  let calls = 0;
  const failing = workflow('not-retryable', () =>
    runStep('charge', () => Promise.reject(Object.assign(new Error(`failure ${++calls}`), { code: 'NO_FUNDS' })), {
      retry: { maxAttempts: 5, delay: 0, shouldRetry: (error, attempt) => attempt < 2 || !hasCode(error, 'NO_FUNDS') },
    }),
  );
  const engine = await db.launchEngine({ workflows: [failing] });

  const run = await engine.startWorkflow(failing);

  await expect(run.result()).rejects.toMatchObject({ name: 'Error', message: 'failure 2', code: 'NO_FUNDS' });
  expect(calls).toBe(2);
});

test('shouldRetry may take its time [35]', async () => {
  let calls = 0;
  const failing = workflow('asynchronous-verdict', () =>
    runStep('charge', () => Promise.reject(new Error(`failure ${++calls}`)), {
      retry: { maxAttempts: 5, delay: 0, shouldRetry: async (_error, attempt) => Promise.resolve(attempt < 3) },
    }),
  );
  const engine = await db.launchEngine({ workflows: [failing] });

  const run = await engine.startWorkflow(failing);

  await expect(run.result()).rejects.toThrow(new Error('failure 3'));
});

test.each([
  ['throws', (): never => { throw new TypeError('the verdict failed'); }], // prettier-ignore
  ['rejects', async (): Promise<boolean> => Promise.reject(new TypeError('the verdict failed'))],
])('when shouldRetry %s, that error is the outcome of the step [35]', async (how, shouldRetry) => {
  let calls = 0;
  const failing = workflow(`verdict-${how}`, () =>
    runStep('charge', () => Promise.reject(new Error(`failure ${++calls}`)), {
      retry: { maxAttempts: 5, delay: 0, shouldRetry },
    }),
  );
  const engine = await db.launchEngine({ workflows: [failing] });

  const run = await engine.startWorkflow(failing);

  await expect(run.result()).rejects.toThrow(new TypeError('the verdict failed'));
  expect(calls).toBe(1);
});

test('shouldRetry is not asked where there is one attempt only [36]', async () => {
  let asked = 0;
  const failing = workflow('unasked', () =>
    runStep('charge', () => Promise.reject(new Error('declined')), {
      retry: { maxAttempts: 1, shouldRetry: () => ++asked > 0 },
    }),
  );
  const engine = await db.launchEngine({ workflows: [failing] });

  const run = await engine.startWorkflow(failing);

  await expect(run.result()).rejects.toThrow(new Error('declined'));
  expect(asked).toBe(0);
});

test('shouldRetry is asked after the last attempt too: what is not worth a retry stays the original error [34]', async () => {
  const verdicts = [true, false];
  const failing = workflow('asked-last', () =>
    runStep('charge', () => Promise.reject(new Error('declined')), {
      retry: { maxAttempts: 2, delay: 0, shouldRetry: () => verdicts.shift() ?? true },
    }),
  );
  const engine = await db.launchEngine({ workflows: [failing] });

  const run = await engine.startWorkflow(failing);

  await expect(run.result()).rejects.toThrow(new Error('declined'));
  expect(verdicts).toEqual([]);
});

test('a step knows its name, its attempt and the maximum [37]', async () => {
  const seen: unknown[] = [];
  const looking = workflow('looking', async () => {
    await runStep('first', () => void seen.push(context()));
    await runStep('second', () => (seen.push(context()) < 3 ? Promise.reject(new Error('again')) : undefined), {
      retry: { maxAttempts: 7, delay: 0 },
    });
  });
  const engine = await db.launchEngine({ workflows: [looking] });

  const run = await engine.startWorkflow(looking);
  await run.result();

  expect(seen).toEqual(['first 1/1', 'second 1/7', 'second 2/7']);
});

test('a result that cannot be stored fails the step at once: what the step does is not done again', async () => {
  let calls = 0;
  const unstorable = workflow('unstorable-result', () =>
    runStep(
      'charge',
      () => {
        calls += 1;
        return { close: () => undefined };
      },
      { retry: { maxAttempts: 5, delay: 0 } },
    ),
  );
  const engine = await db.launchEngine({ workflows: [unstorable] });

  const run = await engine.startWorkflow(unstorable);

  await expect(run.result()).rejects.toMatchObject({ code: 'UNSERIALIZABLE' });
  expect(calls).toBe(1);
});

function context(): string {
  const { name, attempt, maxAttempts } = currentStep();
  return `${name} ${attempt}/${maxAttempts}`;
}

function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}

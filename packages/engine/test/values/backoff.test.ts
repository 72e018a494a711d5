import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { delayBeforeAttemptMs, type RetryOptions, retryPolicy } from '../../src/values/backoff.js';

describe('the policy', () => {
  test('without options is one attempt', () => {
    expect(retryPolicy(undefined).maxAttempts).toBe(1);
  });

  test('of empty options is three attempts, 1 s and 2 s apart, half of it random', () => {
    expect(retryPolicy({})).toEqual({ maxAttempts: 3, delayMs: 1000, backoff: 2, maxDelayMs: 60_000, jitter: 0.5 });
  });

  test('keeps what is given', () => {
    const shouldRetry = () => false;

    expect(
      retryPolicy({ maxAttempts: Infinity, delay: '5s', backoff: 1, maxDelay: '1h', jitter: false, shouldRetry }),
    ).toEqual({ maxAttempts: Infinity, delayMs: 5000, backoff: 1, maxDelayMs: 3_600_000, jitter: 0, shouldRetry });
  });

  test('does not cut a long delay to the default maximum', () => {
    expect(retryPolicy({ delay: '5m' }).maxDelayMs).toBe(300_000);
  });

  test.each<[RetryOptions, string]>([
    [{ maxAttempts: 0 }, 'retry.maxAttempts cannot be 0'],
    [{ maxAttempts: 2.5 }, 'retry.maxAttempts cannot be 2.5'],
    [{ maxAttempts: NaN }, 'retry.maxAttempts cannot be NaN'],
    [{ backoff: 0.5 }, 'retry.backoff cannot be 0.5'],
    [{ backoff: Infinity }, 'retry.backoff cannot be Infinity'],
    [{ delay: '2m', maxDelay: '1m' }, 'retry.maxDelay cannot be "1m": it is shorter than delay (120000 ms)'],
    [{ jitter: 1.1 }, 'retry.jitter cannot be 1.1'],
    [{ delay: 'soon' }, 'retry.delay cannot be "soon"'],
  ])('refuses %p', (options, message) => {
    expect(() => retryPolicy(options)).toThrow(message);
  });

  test.each([[{ maxAttempts: '3' }], [{ backoff: '2' }], [{ jitter: 'full' }], [{ shouldRetry: true }]])(
    'refuses %p from JavaScript',
    (options) => {
      expect(() => retryPolicy(options as never)).toThrow('OPTION_INVALID');
    },
  );
});

describe('the delay', () => {
  const policy = retryPolicy({ maxAttempts: 10, delay: '1s', backoff: 2, maxDelay: '10s', jitter: false });

  test.each([
    [1, 0],
    [2, 1000],
    [3, 2000],
    [4, 4000],
    [5, 8000],
    [6, 10_000],
    [5000, 10_000],
  ])('before attempt %d is %d ms', (attempt, ms) => {
    expect(delayBeforeAttemptMs(policy, attempt, 0.5)).toBe(ms);
  });

  test('is shortened by the random share', () => {
    const half = retryPolicy({ delay: '8s', jitter: true });

    expect([0, 0.5, 1].map((random) => delayBeforeAttemptMs(half, 2, random))).toEqual([8000, 6000, 4000]);
  });

  test('of no delay stays 0 however often it is multiplied', () => {
    expect(delayBeforeAttemptMs(retryPolicy({ delay: 0 }), 5000, 0)).toBe(0);
  });

  test('is whole, never negative, never above the maximum, and never falls without jitter', () => {
    const options = fc.record({
      delay: fc.integer({ min: 0, max: 1e9 }),
      backoff: fc.double({ min: 1, max: 1e6, noNaN: true }),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(options, fc.integer({ min: 1, max: 10_000 }), share, (given, attempt, random) => {
        const jittered = retryPolicy({ ...given, maxDelay: 1e9 });
        const ms = delayBeforeAttemptMs(jittered, attempt, random);
        const steady = { ...jittered, jitter: 0 };

        expect(Number.isSafeInteger(ms) && ms >= 0 && ms <= 1e9).toBe(true);
        expect(delayBeforeAttemptMs(steady, attempt + 1, random)).toBeGreaterThanOrEqual(
          delayBeforeAttemptMs(steady, attempt, random),
        );
      }),
    );
  });
});

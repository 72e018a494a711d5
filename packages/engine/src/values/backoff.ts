// How often a step is tried and how long to wait in between: options checked into a policy, and the delay as a pure rule.
// Formula: exponential backoff with a random share, as "equal jitter" in
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ when the share is one half.

import { type Duration, parseDuration } from './duration.js';
import { PerdureError } from './errors.js';
import { refuseUnknown } from './unknown-options.js';

/** How a failed step is tried again. An empty object means three attempts, 1 s and then 2 s apart at most. */
export interface RetryOptions {
  /** Attempts in all, the first included; `Infinity` is allowed. Default 3. */
  readonly maxAttempts?: number;
  /** The longest wait before the second attempt. Default `'1s'`. */
  readonly delay?: Duration;
  /** What each further wait is multiplied by; 1 keeps it constant. Default 2. */
  readonly backoff?: number;
  /** No wait is longer than this. Default `'1m'`, or `delay` if that is longer. */
  readonly maxDelay?: Duration;
  /**
   * The share of each wait that is random, from 0 to 1, so that many failures at once do not come back at once.
   * `true` is 0.5: a wait of 8 s becomes 4 to 8 s. `false` is 0. Default `true`.
   */
  readonly jitter?: boolean | number;
  /** Asked after each failed attempt; `false` fails the step at once. Default: every error is tried again. */
  readonly shouldRetry?: (error: unknown, attempt: number) => boolean | Promise<boolean>;
}

/** Retry options with defaults filled in, checked and in milliseconds. */
export interface RetryPolicy {
  readonly maxAttempts: number;
  readonly delayMs: number;
  readonly backoff: number;
  readonly maxDelayMs: number;
  /** From 0 to 1. */
  readonly jitter: number;
  readonly shouldRetry?: (error: unknown, attempt: number) => boolean | Promise<boolean>;
}

const retryOptions: Readonly<Record<keyof RetryOptions, true>> = {
  maxAttempts: true,
  delay: true,
  backoff: true,
  maxDelay: true,
  jitter: true,
  shouldRetry: true,
};

const onlyOnce: RetryPolicy = { maxAttempts: 1, delayMs: 0, backoff: 1, maxDelayMs: 0, jitter: 0 };

/**
 * The policy for `options`; without options a step is tried once.
 * Throws `OPTION_INVALID` or `DURATION_INVALID`.
 */
export function retryPolicy(options: RetryOptions | undefined): RetryPolicy {
  if (options === undefined) return onlyOnce;
  refuseUnknown(options, retryOptions, 'retries');
  const { maxAttempts = 3, backoff = 2, jitter = true, shouldRetry } = options;
  const delayMs = parseDuration(options.delay ?? '1s', 'retry.delay');
  const maxDelayMs = parseDuration(options.maxDelay ?? Math.max(60_000, delayMs), 'retry.maxDelay');
  const share = typeof jitter === 'boolean' ? Number(jitter) / 2 : jitter;

  if (!isCount(maxAttempts)) throw invalid('maxAttempts', maxAttempts, 'it must be a whole number from 1, or Infinity');
  if (!isFactor(backoff)) throw invalid('backoff', backoff, 'it must be a number of at least 1');
  if (maxDelayMs < delayMs) throw invalid('maxDelay', options.maxDelay, `it is shorter than delay (${delayMs} ms)`);
  if (!isShare(share)) throw invalid('jitter', jitter, 'it must be a boolean or a number from 0 to 1');
  if (!isAbsentOrFunction(shouldRetry)) throw invalid('shouldRetry', shouldRetry, 'it must be a function');

  const policy = { maxAttempts, delayMs, backoff, maxDelayMs, jitter: share };
  return shouldRetry === undefined ? policy : { ...policy, shouldRetry };
}

/**
 * Whole milliseconds to wait before attempt `nextAttempt` (the first retry is attempt 2); 0 before the first.
 * `random` is a number from 0 to 1, brought by the caller so that the delay can be recorded and replayed.
 */
export function delayBeforeAttemptMs(policy: RetryPolicy, nextAttempt: number, random: number): number {
  if (nextAttempt <= 1 || policy.delayMs === 0) return 0;
  const longestMs = Math.min(policy.maxDelayMs, policy.delayMs * policy.backoff ** (nextAttempt - 2));
  return Math.round(longestMs * (1 - policy.jitter * random));
}

function invalid(option: string, value: unknown, reason: string): PerdureError {
  return new PerdureError('OPTION_INVALID', { option: `retry.${option}`, value, reason });
}

// Options come from JavaScript too, where no type is certain.
function isCount(value: unknown): boolean {
  return value === Infinity || (Number.isSafeInteger(value) && Number(value) >= 1);
}

function isFactor(value: unknown): boolean {
  return Number.isFinite(value) && Number(value) >= 1;
}

function isShare(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= 1;
}

function isAbsentOrFunction(value: unknown): boolean {
  return value === undefined || typeof value === 'function';
}

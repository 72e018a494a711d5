// Waiting for a fact instead of for time. Everything in the tests that waits, waits here.

import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';

/** What is awaited, and for how long. */
export interface WaitOptions<T> {
  /** Completes the sentence "still waiting for …" when the time is up. */
  readonly what: string;
  /** Default: 10,000. */
  readonly timeoutMs?: number;
  /** Whether the value is the awaited one. Default: anything but undefined, null and false is. */
  readonly until?: (value: T) => boolean;
}

const firstPauseMs = 5;
const longestPauseMs = 50;

/**
 * The first awaited value of `probe`, which is called again and again, 5 ms apart at first and 50 ms later.
 * A probe that throws has no value yet. When the time is up, the error names what was awaited and what was seen last.
 *
 * @example
 * const run = await waitFor(() => findRun(id), { what: `run ${id} to succeed`, until: (run) => run?.status === 'succeeded' });
 */
export async function waitFor<T>(
  probe: () => T | Promise<T>,
  options: WaitOptions<T>,
): Promise<Exclude<T, undefined | null | false>> {
  const { timeoutMs = 10_000, until = isPresent } = options;
  const giveUpAt = Date.now() + timeoutMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 1.5, longestPauseMs)) {
    const seen = await look(probe);
    if ('value' in seen && until(seen.value) && isPresent(seen.value)) return seen.value;
    if (Date.now() >= giveUpAt) throw waitedInVain(options.what, timeoutMs, seen);
    await delay(pauseMs);
  }
}

type Seen<T> = { readonly value: T } | { readonly error: unknown };

async function look<T>(probe: () => T | Promise<T>): Promise<Seen<T>> {
  try {
    return { value: await probe() };
  } catch (error) {
    return { error };
  }
}

function isPresent<T>(value: T): value is Exclude<T, undefined | null | false> {
  return value !== undefined && value !== null && value !== false;
}

function waitedInVain(what: string, timeoutMs: number, seen: Seen<unknown>): Error {
  const still = `still waiting for ${what} after ${timeoutMs} ms`;
  if ('error' in seen) return new Error(`${still}; the last look failed, see the cause`, { cause: seen.error });
  return new Error(`${still}; last seen: ${inspect(seen.value, { depth: 5, breakLength: 120 })}`);
}

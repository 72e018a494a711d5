// When a run leaves memory: what it waits for decides, and nothing is thrown through user code. The promise of a parked
// run simply never settles; waking replays the run from its history.

import type { RunId } from '../values/ids.js';
import type { Call } from './call.js';

/** What a run that only waits is waiting for. */
export interface Waits {
  /** When the first wait ends by itself, or Infinity. */
  readonly untilMs: number;
  readonly isOpenEnded: boolean;
  readonly runs: readonly RunId[];
}

/** The waits of a run, or undefined when something else is outstanding, or nothing at all. */
export function waitsOf(calls: Iterable<Call>): Waits | undefined {
  let untilMs = Infinity;
  let isOpenEnded = false;
  let count = 0;
  const runs: RunId[] = [];
  for (const call of calls) {
    if (call.waitsUntilMs === undefined) return undefined;
    count += 1;
    untilMs = Math.min(untilMs, call.waitsUntilMs);
    isOpenEnded ||= call.waitsUntilMs === Infinity;
    if (call.childId !== undefined) runs.push(call.childId as RunId);
  }
  return count === 0 ? undefined : { untilMs, isOpenEnded, runs };
}

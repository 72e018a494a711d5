// When a run leaves memory: what it waits for decides, and nothing is thrown through user code. The promise of a parked
// run simply never settles; waking replays the run from its history.

import type { EventQuery } from '../store/events.js';
import type { RunId } from '../values/ids.js';
import type { Call } from './call.js';

/** What wakes a parked run besides time: outcomes of runs, events of other runs, messages of topics. */
export interface WakeUps {
  readonly runs: readonly RunId[];
  readonly events: readonly EventQuery[];
  readonly topics: readonly string[];
}

/** No wake-up: a run that is handed over is due at once. */
export const nothing: WakeUps = { runs: [], events: [], topics: [] };

/** What a run that only waits is waiting for. */
export interface Waits extends WakeUps {
  /** When the first wait ends by itself, or Infinity. */
  readonly untilMs: number;
  readonly isOpenEnded: boolean;
}

/** The waits of a run, or undefined when something else is outstanding, or nothing at all. */
export function waitsOf(calls: Iterable<Call>): Waits | undefined {
  let untilMs = Infinity;
  let isOpenEnded = false;
  let count = 0;
  const runs: RunId[] = [];
  const events: EventQuery[] = [];
  const topics: string[] = [];
  for (const call of calls) {
    if (call.waitsUntilMs === undefined) return undefined;
    count += 1;
    untilMs = Math.min(untilMs, call.waitsUntilMs);
    isOpenEnded ||= call.waitsUntilMs === Infinity || call.topic !== undefined || call.event !== undefined;
    if (call.event !== undefined) events.push(call.event);
    if (call.topic !== undefined) topics.push(call.topic);
    if (call.childId !== undefined) runs.push(call.childId as RunId);
  }
  return count === 0 ? undefined : { untilMs, isOpenEnded, runs, events, topics };
}

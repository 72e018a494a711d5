// The database's time, told by this process: the offset is learnt at launch and with every heartbeat. It runs on the
// monotonic clock, so a wrong or jumping wall clock of the machine moves no timer.

import { longestTimerMs } from '../values/duration.js';

const longestWayMs = 500;
// What a heartbeat corrects as a rule is less than this.
const leastLeapMs = 20;

/** A clock in step with the database. */
export class Clock {
  #offsetMs = Date.now() - performance.now();
  #isSet = false;
  readonly #alarms = new Set<() => void>();

  /** The database's time, in epoch milliseconds, whole. */
  now(): number {
    return Math.floor(performance.now() + this.#offsetMs);
  }

  /**
   * Sets the clock from an answer of the database to a question asked at `askedAt` (of `performance.now()`). Returns
   * whether time has leapt forward: then timers that were set for later are due now.
   */
  set(databaseMs: number, askedAt: number): boolean {
    const answeredAt = performance.now();
    const offsetMs = databaseMs - (askedAt + answeredAt) / 2;
    const [aheadMs, wayMs] = [offsetMs - this.#offsetMs, answeredAt - askedAt];
    // Half of a long way is a wrong guess: the answer may have waited at its end, for a blocked event loop.
    if (this.#isSet && wayMs > longestWayMs && Math.abs(aheadMs) <= wayMs) return false;
    const hasLeapt = this.#isSet && aheadMs > leastLeapMs + wayMs / 2;
    this.#isSet = true;
    this.#offsetMs = offsetMs;
    // Going back needs no help: a timer looks again before it fires.
    if (hasLeapt) for (const arm of this.#alarms) arm();
    return hasLeapt;
  }

  /** Calls back at a moment of the database's time, however far away. Returns how to call it off. */
  at(ms: number, callback: () => void): () => void {
    let timer: NodeJS.Timeout | undefined;
    const ring = (): void => {
      this.#alarms.delete(arm);
      callback();
    };
    const arm = (): void => {
      clearTimeout(timer);
      const leftMs = ms - this.now();
      if (leftMs <= 0) timer = setTimeout(ring, 0);
      else timer = setTimeout(leftMs > longestTimerMs ? arm : check, Math.min(leftMs, longestTimerMs));
    };
    // A timer of Node can fire a little early, and the clock can have been set back meanwhile.
    const check = (): void => (this.now() < ms ? arm() : ring());
    this.#alarms.add(arm);
    arm();
    return () => {
      this.#alarms.delete(arm);
      clearTimeout(timer);
    };
  }
}

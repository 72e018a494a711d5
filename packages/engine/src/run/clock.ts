// The database's time, told by this process: the offset is learnt at launch and with every heartbeat. It runs on the
// monotonic clock, so a wrong or jumping wall clock of the machine moves no timer.

const longestTimeoutMs = 2 ** 31 - 1;
const longestWayMs = 500;

/** A clock in step with the database. */
export class Clock {
  #offsetMs = Date.now() - performance.now();
  #isSet = false;

  /** The database's time, in epoch milliseconds, whole. */
  now(): number {
    return Math.floor(performance.now() + this.#offsetMs);
  }

  /** Sets the clock from an answer of the database to a question asked at `askedAt` (of `performance.now()`). */
  set(databaseMs: number, askedAt: number): void {
    const answeredAt = performance.now();
    // Half of a long way is a wrong guess: the answer may have waited at its end, for a blocked event loop.
    if (this.#isSet && answeredAt - askedAt > longestWayMs) return;
    this.#isSet = true;
    this.#offsetMs = databaseMs - (askedAt + answeredAt) / 2;
  }

  /** Calls back at a moment of the database's time, however far away. Returns how to call it off. */
  at(ms: number, callback: () => void): () => void {
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const leftMs = ms - this.now();
      if (leftMs <= 0) timer = setTimeout(callback, 0);
      else timer = setTimeout(leftMs > longestTimeoutMs ? arm : check, Math.min(leftMs, longestTimeoutMs));
    };
    // A timer of Node can fire a little early, and the clock can have been set back meanwhile.
    const check = (): void => (this.now() < ms ? arm() : callback());
    arm();
    return () => clearTimeout(timer);
  }
}

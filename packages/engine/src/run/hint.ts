// Waiting for a hint from interests: whoever gets it looks again, whoever missed it looks at the next one.

import { longestTimerMs } from '../values/duration.js';

/** A hint that may be given before anybody waits for it. */
export class Hint {
  #isGiven = false;
  #wakeUp: (() => void) | undefined;

  give(): void {
    this.#isGiven = true;
    this.#wakeUp?.();
  }

  /** Whether a hint came in time. */
  async wait(timeoutMs: number | undefined): Promise<boolean> {
    const portionMs = timeoutMs === undefined ? undefined : Math.min(timeoutMs, longestTimerMs);
    if (!this.#isGiven) {
      await new Promise<void>((resolve) => {
        const timer = portionMs === undefined ? undefined : setTimeout(resolve, portionMs);
        this.#wakeUp = (): void => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const wasGiven = this.#isGiven;
    this.#isGiven = false;
    const isTimeLeft = timeoutMs !== undefined && portionMs !== undefined && timeoutMs > portionMs;
    return !wasGiven && isTimeLeft ? this.wait(timeoutMs - portionMs) : wasGiven;
  }
}

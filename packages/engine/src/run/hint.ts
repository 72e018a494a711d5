// Waiting for a hint from interests: whoever gets it looks again, whoever missed it looks at the next one.

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
    if (!this.#isGiven) {
      await new Promise<void>((resolve) => {
        const timer = timeoutMs === undefined ? undefined : setTimeout(resolve, timeoutMs);
        this.#wakeUp = (): void => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const wasGiven = this.#isGiven;
    this.#isGiven = false;
    return wasGiven;
  }
}

// Waits out trouble with the database, in ever longer pauses; tells of it once when it begins, and once when it is over.

import { explain } from '../store/failures.js';
import type { Logger } from '../values/logger.js';

/** Whom an outage concerns. */
export interface OutageOptions {
  /** The server, for messages. */
  readonly target: string;
  readonly logger: Logger;
  readonly onOutage: (reason: string) => void;
  readonly onRecovered: () => void;
}

const firstPauseMs = 20;
const longestPauseMs = 2_000;

/** The trouble of one connection. */
export class Outage {
  readonly #options: OutageOptions;
  #failures = 0;
  #isOver = false;
  #endPause: (() => void) | undefined;

  constructor(options: OutageOptions) {
    this.#options = options;
  }

  /** A statement or a connection has failed: resolves when it is time to try again. */
  async pauseAfter(error: unknown): Promise<void> {
    if (this.#isOver) return;
    const { target, logger, onOutage } = this.#options;
    const failure = explain(error, target);
    this.#failures += 1;
    if (this.#failures === 1) logger.warn({ err: failure }, 'the journal waits for the database');
    onOutage(failure.message);
    const pauseMs = Math.min(firstPauseMs * 2 ** (this.#failures - 1), longestPauseMs);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pauseMs);
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** A statement was carried out. */
  recovered(): void {
    if (this.#failures === 0) return;
    this.#options.logger.info({ failures: this.#failures }, 'the journal goes on');
    this.#failures = 0;
    this.#options.onRecovered();
  }

  /** Nobody tries again. */
  close(): void {
    this.#isOver = true;
    this.#endPause?.();
  }
}

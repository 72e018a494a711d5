// The one loop behind every background service: run, wait as long as the run says, run again; a poke cuts the wait short.
// The start and stop contract lives here and is tested here, once for all of them.

import { longestTimerMs } from '../values/duration.js';
import type { Logger } from '../values/logger.js';

/** What a service does. */
export interface ServiceOptions {
  readonly name: string;
  /** One round; resolves to how long to wait before the next, in milliseconds. A failed round is logged and repeated. */
  readonly round: () => Promise<number>;
  readonly logger: Logger;
  /** The wait after a failed round. */
  readonly retryMs?: number;
}

/** A loop with a life: started once, stopped once. */
export class Service {
  readonly #options: ServiceOptions;
  #isStopping = false;
  #isPoked = false;
  #isFailing = false;
  #wakeUp: (() => void) | undefined;
  #whenRound: (() => void)[] = [];
  // Of performance.now(): when the next round begins at the latest, whatever the current one says.
  #latestAt = Infinity;
  #rearm: (() => void) | undefined;
  #loop: Promise<void> | undefined;

  constructor(options: ServiceOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Has the next round begin now, or right after the current one. */
  poke(): void {
    this.#isPoked = true;
    this.#wakeUp?.();
  }

  /** Resolves when a round has succeeded that began after this call, or when the service is stopped. */
  async nextRound(): Promise<void> {
    if (this.#isStopping) return;
    const done = new Promise<void>((resolve) => this.#whenRound.push(resolve));
    this.poke();
    await done;
  }

  /** Has the next round begin after `ms` at the latest. */
  pokeWithin(ms: number): void {
    const latestAt = performance.now() + ms;
    if (latestAt >= this.#latestAt) return;
    this.#latestAt = latestAt;
    this.#rearm?.();
  }

  /** Resolves when the current round has ended and no other will begin. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#wakeUp?.();
    await this.#loop;
    for (const tell of this.#whenRound.splice(0)) tell();
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      this.#isPoked = false;
      this.#latestAt = Infinity;
      const waitMs = await this.#round();
      if (!this.#isPoked && !this.#isStopping) await this.#wait(waitMs);
    }
  }

  async #round(): Promise<number> {
    const { name, round, logger, retryMs = 1_000 } = this.#options;
    const waiting = this.#whenRound.splice(0);
    try {
      const waitMs = await round();
      for (const tell of waiting) tell();
      if (this.#isFailing) logger.info({ service: name }, 'the service goes on');
      this.#isFailing = false;
      return waitMs;
    } catch (err) {
      this.#whenRound.push(...waiting);
      if (!this.#isFailing && !this.#isStopping)
        logger.warn({ err, service: name }, 'a round of the service failed; trying again');
      this.#isFailing = true;
      return retryMs;
    }
  }

  async #wait(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const endsAt = performance.now() + ms;
      let timer: NodeJS.Timeout | undefined;
      this.#rearm = (): void => {
        clearTimeout(timer);
        const leftMs = Math.min(endsAt, this.#latestAt) - performance.now();
        timer = setTimeout(resolve, Math.min(Math.max(0, leftMs), longestTimerMs));
      };
      this.#rearm();
      this.#wakeUp = (): void => {
        clearTimeout(timer);
        this.#rearm = undefined; // or the timer would be set again before this wait has ended, and outlive the service
        resolve();
      };
    });
    this.#wakeUp = undefined;
    this.#rearm = undefined;
  }
}

// Driving an engine by hand: work for a bounded time, then nothing. For hosts that freeze or end processes between requests.

import type { Executor } from '../run/executor.js';
import type { Service } from '../services/service.js';
import { longestTimerMs, parseDuration, type Duration } from '../values/duration.js';
import { refuseUnknown } from '../values/unknown-options.js';

/** Options of driving. */
export interface DriveOptions {
  /** How long to work at most. What is executing then may take a second more to be recorded. */
  readonly budget: Duration;
}

/** How a drive has ended. */
export interface DriveReport {
  /** Nothing was left to do at that moment; otherwise the budget was spent first. */
  readonly isIdle: boolean;
}

interface DriverOptions {
  readonly executor: Executor;
  readonly services: { readonly claims: Service; readonly recoveries: Service; readonly schedules: Service };
  readonly isDriven: boolean;
  /** Runs that were in memory here wait for others. */
  readonly onHandedOver: () => void;
}

const graceMs = 1_000;

/** Drives one engine. */
export class Driver {
  readonly #options: DriverOptions;
  #underWay = 0;

  constructor(options: DriverOptions) {
    this.#options = options;
    if (options.isDriven) options.executor.isDraining = true;
  }

  /** See `engine.drive`. */
  async drive(options: DriveOptions): Promise<DriveReport> {
    refuseUnknown(options, { budget: true }, 'drives');
    const budgetMs = Math.min(parseDuration(options.budget, 'budget'), longestTimerMs);
    const { executor, isDriven } = this.#options;
    const work = { isOver: false };
    this.#underWay += 1;
    if (isDriven) executor.isDraining = false;
    try {
      return { isIdle: await within(budgetMs, this.#work(work)) };
    } finally {
      work.isOver = true;
      this.#underWay -= 1;
      if (isDriven && this.#underWay === 0) await this.#handOver();
    }
  }

  // What is due is claimed, and whatever comes of it, until a claim finds nothing and nothing is in memory.
  async #work(work: { readonly isOver: boolean }): Promise<void> {
    const { executor, services } = this.#options;
    await services.recoveries.nextRound();
    await services.schedules.nextRound();
    do {
      await executor.whenEmpty();
      await services.claims.nextRound();
    } while (!executor.isEmpty && !work.isOver);
  }

  async #handOver(): Promise<void> {
    const { executor, onHandedOver } = this.#options;
    const wasEmpty = executor.isEmpty;
    executor.drain();
    await within(
      graceMs,
      executor.whenEmpty().then(() => executor.journal.flush()),
    );
    if (!wasEmpty) onHandedOver();
  }
}

/** Whether it ended in time. */
async function within(ms: number, work: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), ms)));
  try {
    return await Promise.race([work.then(() => true), timeout]);
  } finally {
    clearTimeout(timer);
  }
}

// Starts what schedules say, each tick once over the fleet: every process looks, sleeps until the next tick, and whoever
// moves the schedule on has its ticks put into the backlog. Starting from the backlog may be done by several at once, because the
// id of a run is made of schedule and tick.

import type { Executor } from '../run/executor.js';
import type { Database } from '../store/database.js';
import { admitTicks, selectDueSchedules, settleTicks } from '../store/schedule-ticks.js';
import type { ScheduleRow } from '../store/schedules.js';
import type { RunId } from '../values/ids.js';
import { nextTick } from '../values/ticks.js';
import { planAdvance, portion, ruleOf } from './due-ticks.js';
import { Service } from './service.js';

/** What the scheduler works with. */
export interface SchedulerOptions {
  readonly database: Database;
  readonly executor: Executor;
  readonly pollMs: () => number;
  /** The schedules that this engine declares, at the moment: it serves these, and all that were created at run time. */
  readonly declaredHere: () => readonly string[];
  /** Starts the run of a tick, or finds it; undefined when it can never be started. */
  readonly start: (schedule: ScheduleRow, tickMs: number) => Promise<RunId | undefined>;
  /** Sets the clock by the database's; resolves when that is done. */
  readonly catchUp: () => Promise<void>;
}

/** The scheduler of one engine. */
export function scheduler(options: SchedulerOptions): Service {
  const { executor, pollMs } = options;
  const work = new ScheduleWork(options, () => service.poke());
  const round = async (): Promise<number> => {
    const waitMs = await work.round();
    return Math.max(0, Math.min(pollMs(), waitMs));
  };
  const service = new Service({ name: 'scheduler', round, logger: executor.logger, retryMs: 250 });
  return service;
}

const schedulesPerRound = 100;
const failedPauseMs = 1_000;
const leapMs = 1_000;

class ScheduleWork {
  readonly #options: SchedulerOptions;
  readonly #poke: () => void;
  readonly #awaited = new Set<RunId>();

  constructor(options: SchedulerOptions, poke: () => void) {
    this.#options = options;
    this.#poke = poke;
  }

  /** Does what is due; resolves to how long there is nothing more to do, as far as is known. */
  async round(): Promise<number> {
    const { database, declaredHere, executor, catchUp } = this.#options;
    const { schedules, nowMs, nextDueInMs } = await selectDueSchedules(database, declaredHere(), schedulesPerRound);
    // The runs of ticks get their times from the clock, which may not have heard yet that the database's was set.
    if (nowMs > executor.clock.now() + leapMs) await catchUp();
    const waits = await Promise.all(schedules.map((schedule) => this.#tend(schedule, nowMs)));
    return Math.min(nextDueInMs ?? Infinity, ...waits);
  }

  // One that fails, for instance because a newer release wrote its pattern, must not keep the others waiting.
  async #tend(schedule: ScheduleRow, nowMs: number): Promise<number> {
    try {
      const advance = planAdvance(schedule, nowMs);
      const admitted = advance === undefined ? schedule : await admitTicks(this.#options.database, schedule, advance);
      if (admitted !== undefined && admitted.skipped > schedule.skipped) this.#logSkipped(admitted);
      const isBehind = admitted !== undefined && (await this.#startFrom(admitted));
      // Somebody else was faster with this tick; the one after it is anybody's.
      const next = admitted === undefined ? nextTick(ruleOf(schedule), nowMs) : admitted.nextDueAtMs;
      if (isBehind) return 0;
      return advance === undefined ? Infinity : (next ?? Infinity) - nowMs;
    } catch (err) {
      this.#options.executor.logger.warn({ err, schedule: schedule.name }, 'a schedule cannot go on; trying again');
      return failedPauseMs;
    }
  }

  // Whether there are more that may be started at once.
  async #startFrom(schedule: ScheduleRow): Promise<boolean> {
    const { name, overlap, backlogMs, activeIds, isPaused } = schedule;
    if (backlogMs.length === 0 || isPaused) return false;
    const [active] = activeIds;
    if (overlap !== 'allow' && active !== undefined) {
      this.#awaitEnd(active);
      return false;
    }
    const ticksMs = backlogMs.slice(0, overlap === 'allow' ? portion : 1);
    const started = await Promise.all(ticksMs.map((tickMs) => this.#options.start(schedule, tickMs)));
    const runIds = started.filter((id) => id !== undefined);
    await settleTicks(this.#options.database, name, { ticksMs, runIds });
    return backlogMs.length > ticksMs.length;
  }

  // The next tick of a schedule whose runs must not overlap is started when the unfinished run ends: told in memory or by
  // a notification, and found at the poll interval in any case.
  #awaitEnd(id: RunId): void {
    if (this.#awaited.has(id)) return;
    this.#awaited.add(id);
    const forget = (): void => void this.#awaited.delete(id);
    this.#options.executor.outcomes.on(
      id,
      () => {
        forget();
        this.#poke();
      },
      forget,
    );
  }

  #logSkipped({ name, overlap, skipped, lastSkippedAtMs = 0 }: ScheduleRow): void {
    const fields = { schedule: name, overlap, skipped, tick: new Date(lastSkippedAtMs).toISOString() };
    this.#options.executor.logger.info(fields, 'a tick was skipped: an earlier run of the schedule is unfinished');
  }
}

// Schedules at run time: looking at them and steering them.

import type { Executor } from '../run/executor.js';
import { ruleOf } from '../services/due-ticks.js';
import { readDatabaseTime, type Database } from '../store/database.js';
import { appendTicks, settleTicks } from '../store/schedule-ticks.js';
import {
  declareSchedule,
  deleteSchedule,
  insertSchedule,
  pauseSchedule,
  resumeSchedule,
  selectSchedules,
  updateSchedule,
  type Overlap,
  type ScheduleRow,
} from '../store/schedules.js';
import { PerdureError } from '../values/errors.js';
import { checkName, checkRunId, newRunId, type RunId } from '../values/ids.js';
import { decode } from '../values/serialize.js';
import { nextTick, ticksBetween } from '../values/ticks.js';
import { refuseUnknown, requireList } from '../values/unknown-options.js';
import { RunHandle } from './handle.js';
import type { Runs } from './manage.js';
import { checkSchedules, toSettings, type Schedule } from './schedule.js';
import { startScheduled, tickRunId } from './scheduled-start.js';
import { toNewRun } from './start.js';

/** A schedule as it stands. Times are of the database's clock. */
export interface ScheduleInfo {
  readonly name: string;
  readonly workflow: string;
  readonly version: string;
  /** The cron pattern, or undefined for an interval. */
  readonly cron: string | undefined;
  readonly timeZone: string | undefined;
  /** The interval, in milliseconds. */
  readonly everyMs: number | undefined;
  readonly input: unknown;
  readonly overlap: Overlap;
  /** How many missed ticks are made up for; undefined for all. */
  readonly catchUp: number | undefined;
  /** Whether code declared it; then it is served by the processes that declare it, and rests when there is none. */
  readonly isDeclared: boolean;
  readonly isPaused: boolean;
  /** Undefined: there is no tick any more. */
  readonly nextDueAt: Date | undefined;
  readonly lastDueAt: Date | undefined;
  /** Ticks that have come and wait to be started. */
  readonly backlog: readonly Date[];
  /** Its unfinished runs. Empty with overlap "allow", where they do not matter. */
  readonly activeIds: readonly RunId[];
  /** How many ticks were left out because of an unfinished run. */
  readonly skipped: number;
  readonly lastSkippedAt: Date | undefined;
  readonly createdAt: Date;
  /** When it was last changed by code or by hand. */
  readonly updatedAt: Date;
}

/** A stretch of time to make up for. */
export interface BackfillOptions {
  readonly from: Date;
  /** Not included. Default: now. */
  readonly to?: Date;
}

/** What schedules need of their engine. */
export interface SchedulesOptions {
  readonly database: Database;
  readonly executor: Executor;
  readonly runs: Runs;
  /** There is something new for the schedulers of all processes. */
  readonly onChange: () => void;
}

const largestBackfill = 10_000;

/** `engine.schedules`. */
export class Schedules {
  readonly #options: SchedulesOptions;
  #declaredHere: readonly string[] = [];

  /** @internal */
  constructor(options: SchedulesOptions) {
    this.#options = options;
  }

  /** Every schedule, by name. */
  async list(): Promise<readonly ScheduleInfo[]> {
    return (await selectSchedules(this.#options.database)).map(toInfo);
  }

  /** A schedule, or undefined when there is none of this name. */
  async get(name: string): Promise<ScheduleInfo | undefined> {
    const [row] = await selectSchedules(this.#options.database, [checkName('schedule', name)]);
    return row === undefined ? undefined : toInfo(row);
  }

  /**
   * Creates a schedule at run time. Every process with an engine serves it from now on.
   * Throws SCHEDULE_EXISTS, and what a start with its input and options throws.
   *
   * @example
   * await engine.schedules.create(schedule('digest of ada', { every: '1 day' }, digest, { input: { user: 'ada' } }));
   */
  async create(schedule: Schedule): Promise<void> {
    const settings = await this.#check(schedule);
    const created = await insertSchedule(this.#options.database, {
      ...settings,
      nextDueAtMs: await this.#firstTick(schedule),
      declared: undefined,
    });
    if (!created) throw new PerdureError('SCHEDULE_EXISTS', { name: schedule.name });
    this.#options.onChange();
  }

  /**
   * Replaces everything that was set about a schedule. Pause, backlog and counts stay; another rule counts from now. On a schedule
   * that code declares, it lasts until the code declares something else. Throws SCHEDULE_NOT_FOUND and as `create`.
   */
  async update(schedule: Schedule): Promise<void> {
    const settings = await this.#check(schedule);
    const nextDueAtMs = await this.#firstTick(schedule);
    const isUpdated = await updateSchedule(this.#options.database, { ...settings, nextDueAtMs });
    this.#changed(schedule.name, isUpdated);
  }

  /** Deletes a schedule; false when there was none. Its runs stay. One that code declares is back at the next launch. */
  async delete(name: string): Promise<boolean> {
    return deleteSchedule(this.#options.database, checkName('schedule', name));
  }

  /** Has a schedule start nothing until it is resumed. Runs that were started go on. Throws SCHEDULE_NOT_FOUND. */
  async pause(name: string): Promise<void> {
    this.#changed(name, await pauseSchedule(this.#options.database, checkName('schedule', name)));
  }

  /**
   * Has a paused schedule go on: with its backlog, and with the next tick from now. What came in between is left out; `backfill` makes up
   * for it. Throws SCHEDULE_NOT_FOUND.
   */
  async resume(name: string): Promise<void> {
    const { database } = this.#options;
    for (let isResumed = false; !isResumed;) {
      const row = await this.#require(name);
      isResumed = await resumeSchedule(database, row, nextTick(ruleOf(row), await readDatabaseTime(database)));
    }
    this.#options.onChange();
  }

  /**
   * Starts a run now, whether or not the schedule is paused or another run is unfinished. `scheduledAt` is this moment.
   * Throws SCHEDULE_NOT_FOUND.
   */
  async trigger(name: string): Promise<RunHandle<unknown>> {
    const { database, executor, runs } = this.#options;
    const row = await this.#require(name);
    const id = checkRunId(`schedule/${name}/now/${newRunId()}`);
    const ticket = await startScheduled(executor, row, { id, atMs: executor.clock.now() });
    if (row.overlap !== 'allow') await settleTicks(database, name, { ticksMs: [], runIds: [ticket.id] });
    return new RunHandle(executor, runs, ticket);
  }

  /**
   * Starts a run for every tick of a stretch of time, by the schedule's rule and time zone; a tick that has its run is not started
   * again. Unless overlap is "allow", they are started one after the other. While the schedule is paused, they wait.
   * Resolves to the ids of the runs once that is durable; until they are started, there is no run of these ids. Throws SCHEDULE_NOT_FOUND, and OPTION_INVALID for more than 10,000 ticks.
   *
   * @example
   * await engine.schedules.backfill('nightly', { from: new Date('2026-03-01'), to: new Date('2026-04-01') });
   */
  async backfill(name: string, options: BackfillOptions): Promise<readonly RunId[]> {
    refuseUnknown(options, { from: true, to: true }, 'backfills');
    const { from, to } = options;
    const { database } = this.#options;
    const row = await this.#require(name);
    const fromMs = checkDate(from, 'from');
    const toMs = to === undefined ? await readDatabaseTime(database) : checkDate(to, 'to');
    if (to !== undefined && fromMs > toMs)
      throw invalid('from', from, 'it is later than the end, so there is nothing in between');
    const ticksMs = ticksBetween(ruleOf(row), { fromMs, toMs: toMs - 1 }, largestBackfill + 1);
    if (ticksMs.length > largestBackfill)
      throw invalid('from', from, `there are more than ${largestBackfill} ticks until then; take it in parts`);
    if (ticksMs.length > 0) this.#changed(name, await appendTicks(database, name, ticksMs));
    return ticksMs.map((tickMs) => tickRunId(name, tickMs));
  }

  /**
   * Declares what this process serves, in place of what it has declared before, as `createEngine({ schedules })` does at launch: another
   * declaration of a schedule than the last one is applied, the same one leaves changes made at run time. Pause, backlog and counts stay;
   * one that is missing rests as soon as no process that declares it is left. Safe to repeat. Throws as `create`.
   */
  async declare(given: readonly Schedule[]): Promise<void> {
    const { database, onChange } = this.#options;
    requireList(given, 'schedules');
    const schedules = checkSchedules(given);
    const writes = await Promise.all(schedules.map((schedule) => this.#check(schedule)));
    const known = await selectSchedules(
      database,
      writes.map(({ name }) => name),
    );
    const applied = new Map(known.map(({ name, declared }) => [name, declared]));
    for (const [at, schedule] of schedules.entries()) {
      const settings = writes[at] ?? toSettings(schedule);
      const declared = JSON.stringify(settings);
      if (applied.get(schedule.name) === declared) continue;
      await declareSchedule(database, { ...settings, nextDueAtMs: await this.#firstTick(schedule), declared });
    }
    this.#declaredHere = schedules.map(({ name }) => name);
    onChange();
  }

  /** @internal The names of what this process declares. */
  get declaredHere(): readonly string[] {
    return this.#declaredHere;
  }

  // With a sample of the input that its runs will get, so that a fault shows now and not at night.
  async #check(schedule: Schedule): Promise<ReturnType<typeof toSettings>> {
    checkSchedules([schedule]);
    const now = new Date(0);
    const tick = { schedule: schedule.name, scheduledAt: now, startedAt: now, input: schedule.input };
    const { executor } = this.#options;
    const { place } = await toNewRun(schedule.workflow, tick, schedule.startOptions, executor);
    if (place !== undefined) await executor.starter.requireQueues([place.queue]);
    return toSettings(schedule);
  }

  async #firstTick({ rule }: Schedule): Promise<number | undefined> {
    return nextTick(rule, await readDatabaseTime(this.#options.database));
  }

  async #require(name: string): Promise<ScheduleRow> {
    const [row] = await selectSchedules(this.#options.database, [checkName('schedule', name)]);
    if (row === undefined) throw new PerdureError('SCHEDULE_NOT_FOUND', { name });
    return row;
  }

  #changed(name: string, isFound: boolean): void {
    if (!isFound) throw new PerdureError('SCHEDULE_NOT_FOUND', { name });
    this.#options.onChange();
  }
}

function checkDate(date: Date, option: string): number {
  const ms = date instanceof Date ? date.getTime() : NaN;
  if (Number.isNaN(ms)) throw invalid(option, date, 'it is not a date');
  return ms;
}

function invalid(option: string, value: unknown, reason: string): PerdureError<'OPTION_INVALID'> {
  const shown = value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : value;
  return new PerdureError('OPTION_INVALID', { option, value: shown, reason });
}

function toInfo(row: ScheduleRow): ScheduleInfo {
  const {
    startOptions: _,
    revision: __,
    declared,
    backlogMs,
    nextDueAtMs,
    lastDueAtMs,
    lastSkippedAtMs,
    ...rest
  } = row;
  const { createdAtMs, updatedAtMs, input, ...same } = rest;
  const date = (ms: number | undefined): Date | undefined => (ms === undefined ? undefined : new Date(ms));
  return {
    ...same,
    input: decode(input, `the input of schedule "${row.name}"`),
    isDeclared: declared !== undefined,
    nextDueAt: date(nextDueAtMs),
    lastDueAt: date(lastDueAtMs),
    backlog: backlogMs.map((ms) => new Date(ms)),
    lastSkippedAt: date(lastSkippedAtMs),
    createdAt: new Date(createdAtMs),
    updatedAt: new Date(updatedAtMs),
  };
}

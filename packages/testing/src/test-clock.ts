// The clock of a test: moves the time of its database, stops wherever something becomes due, and lets it be done before it goes on.

import { setTimeout as delay } from 'node:timers/promises';
import { types } from 'node:util';
import { parseDuration, PerdureError, type Duration } from 'perdure';
import type { Connection } from './connection.js';
import type { Activity, EngineTables } from './engine-tables.js';
import { moveVirtualTime, readVirtualTime } from './virtual-time.js';

// How long a run may keep the time from passing: a step that waits for the test itself would do so for ever.
const patienceMs = 2_000;
// How long an engine may take to learn the time. One that has been killed never does.
const answerMs = 1_000;
const lookEveryMs = 5;
const skipEveryMs = 10;

/**
 * The time of a test database: of `now()` in its SQL, and of every engine on it, in this process or another. It passes at its usual
 * pace, and leaps when told to. It never goes back.
 */
export class TestClock {
  readonly #connection: Connection;
  readonly #tables: EngineTables;
  /** What has been busy, and since when; of performance.now(). */
  #busySince = new Map<string, number>();
  #deaf = new Set<string>();
  #turn: Promise<unknown> = Promise.resolve();
  #skipping: Promise<void> | undefined;
  #isClosed = false;

  /** @internal Use `createTestEngine` or `connectTestClock`. */
  constructor(connection: Connection, tables: EngineTables) {
    this.#connection = connection;
    this.#tables = tables;
  }

  /** The time. */
  async now(): Promise<Date> {
    return this.#exclusive(async () => new Date(await readVirtualTime(this.#connection)));
  }

  /**
   * Has this much time pass. Everything that becomes due meanwhile is done at its own time, one after the other: sleeps, timeouts,
   * retries, delays, ticks of schedules, deadlines. Resolves when nothing goes on any more. A run whose step takes longer than two
   * seconds does not keep the time from passing.
   *
   * @example
   * await clock.advance('3 days');
   */
  async advance(duration: Duration): Promise<void> {
    const ms = parseDuration(duration, 'the time to advance');
    await this.#exclusive(async () => this.#passUntil((await readVirtualTime(this.#connection)) + ms));
  }

  /** Has time pass until a moment, as `advance`; one that has passed already is no wait. */
  async advanceTo(moment: Date): Promise<void> {
    if (!types.isDate(moment) || Number.isNaN(moment.getTime()))
      throw new PerdureError('OPTION_INVALID', { option: 'moment', value: moment, reason: 'it is not a date' });
    await this.#exclusive(() => this.#passUntil(moment.getTime()));
  }

  /** Has time pass until the next thing is due and done; returns when that was, or undefined when nothing is waited for. */
  async advanceToNextTimer(): Promise<Date | undefined> {
    return this.#exclusive(async () => {
      const { nextDueMs } = await this.#settle();
      if (nextDueMs === undefined) return undefined;
      await this.#moveTo(nextDueMs);
      await this.#settle();
      return new Date(nextDueMs);
    });
  }

  /** Resolves when nothing goes on without time passing: every run waits or has ended. A step that takes longer than two seconds does not count. */
  async settle(): Promise<void> {
    await this.#exclusive(() => this.#settle());
  }

  /** @internal From now on, leaps to whatever is due next while somebody awaits a result and all runs wait. */
  startSkipping(): void {
    this.#skipping ??= this.#skip();
  }

  /** Ends its connection; the clock of `createTestEngine` is closed with it. Safe to repeat. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#skipping;
    await this.#turn;
    await this.#connection.end();
  }

  async #skip(): Promise<void> {
    let before: string | undefined;
    while (!this.#isClosed) {
      await delay(skipEveryMs);
      await this.#exclusive(async () => {
        const { busy, isAwaited, nextDueMs, signature } = await this.#tables.look();
        const isQuiet = busy.length === 0 && isAwaited && nextDueMs !== undefined;
        if (isQuiet && signature === before && !this.#isClosed) await this.#moveTo(nextDueMs);
        before = isQuiet ? signature : undefined;
      });
    }
  }

  async #passUntil(targetMs: number): Promise<void> {
    for (;;) {
      const { nextDueMs = Infinity } = await this.#settle();
      if (nextDueMs > targetMs) break;
      await this.#moveTo(nextDueMs);
    }
    await this.#moveTo(targetMs);
    await this.#settle();
  }

  // Quiet is what looks the same twice: between two things that show, something may be on its way in memory.
  async #settle(): Promise<Activity> {
    for (let before: string | undefined; ; await delay(lookEveryMs)) {
      const activity = await this.#tables.look();
      const isQuiet = !this.#keepsBusy(activity.busy);
      if (isQuiet && activity.signature === before) return activity;
      before = isQuiet ? activity.signature : undefined;
    }
  }

  #keepsBusy(busy: readonly string[]): boolean {
    const now = performance.now();
    this.#busySince = new Map(busy.map((key) => [key, this.#busySince.get(key) ?? now]));
    return [...this.#busySince.values()].some((since) => now - since < patienceMs);
  }

  async #moveTo(ms: number): Promise<void> {
    await moveVirtualTime(this.#connection, ms);
    const at = await this.#tables.askForLife();
    const giveUpAt = performance.now() + answerMs;
    let silent = await this.#tables.silentSince(at, [...this.#deaf]);
    while (silent.length > 0 && performance.now() < giveUpAt) {
      await delay(2);
      silent = await this.#tables.silentSince(at, [...this.#deaf]);
    }
    for (const id of silent) this.#deaf.add(id);
    await delay(1); // an answer that the database has sent may still be on its way to an engine of this process
  }

  // One statement after the other, and one leap after the other.
  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

// Claims due runs when there is room for them: after a notification, when the next timer is due, when a run has left,
// and at the poll interval in any case. New work, timers, wake-ups and recovered runs all come this way.

import type { Executor } from '../run/executor.js';
import type { Database } from '../store/database.js';
import { claimRuns, releaseUnknown, type Claim } from '../store/queues.js';
import type { ExecutorId } from '../values/ids.js';
import { OpenClaimer } from './open-claimer.js';
import { Service } from './service.js';

/** What the claimer works with. */
export interface ClaimerOptions {
  readonly database: Database;
  readonly executor: Executor;
  /** The longest wait between two rounds. */
  readonly pollMs: () => number;
}

// How soon to come back for a run whose row was locked: locks are held for one statement, as a rule. So for runs that are claimed one by one.
const lockedMs = 5;
const longestLockedMs = 1_000;
// Bounds what one round loads: recovery of thousands of runs comes in portions, and the event loop breathes between.
const batchSize = 500;

// A claim takes the database about as long as this process takes to begin its runs: with two under way, neither waits for the other.
const claimsAhead = 2;

// How soon to count again in a queue that somebody else was counting in: about as long as a claim takes.
const contendedMs = 4;
// With somebody in line who cannot go, another process may free a slot and die before it tells.
const blockedMs = 1_000;
// After so many windows of keys without anybody who may go, the rest waits for the next occasion.
const fruitlessSweeps = 20;

const sweepEveryMs = 30_000;
const sweepsAfterErrorMs = 60_000;

// A claim whose answer is still to come.
interface Asked {
  readonly by: ExecutorId;
  readonly limit: number;
  readonly answer: Promise<Claim>;
}

/** The claimer of one executor. */
export class Claimer {
  readonly service: Service;
  readonly #options: ClaimerOptions;
  // With more work than room, the next claim waits until a quarter is free: claiming one by one would cost a statement a run.
  readonly #portion: number;
  readonly #cursors = new Map<string, string>();
  readonly #openClaimer: OpenClaimer;
  #isHungry = false;
  #hasLimits = false;
  #hasSuspects = false;
  #isBetween = false;
  #fruitless = 0;
  #rounds = 0;
  #comeBackInMs = lockedMs;
  // Of performance.now(): the answer of a claim can be lost long before the claim commits.
  #sweptAt = performance.now();
  #sweepsUntil = -Infinity;

  constructor(options: ClaimerOptions) {
    const {
      logger,
      options: { maxConcurrentRuns },
    } = options.executor;
    this.#options = options;
    this.#openClaimer = new OpenClaimer(options.database, options.executor, this.#cursors);
    this.#portion = Math.max(1, Math.floor(Math.min(maxConcurrentRuns, batchSize) / 4));
    this.service = new Service({ name: 'claimer', round: () => this.#round(), logger, retryMs: 250 });
  }

  /** A run has left. */
  onRoom(queue: string | undefined): void {
    const isWaiting = this.#isHungry
      ? this.#options.executor.room >= this.#portion
      : this.#hasLimits && queue !== undefined;
    if (isWaiting) this.service.poke();
  }

  async #round(): Promise<number> {
    const { queues } = this.#options.executor;
    queues.isClaiming = true;
    try {
      // A backlog is one round: whoever waits for its end waits for the backlog's.
      for (;;) {
        const waitMs = await this.#claimAll();
        if (!this.#isBetween) return waitMs;
      }
    } catch (error) {
      this.#sweepsUntil = performance.now() + sweepsAfterErrorMs; // the claim may have been carried out, or still be
      throw error;
    } finally {
      queues.isClaiming = false;
    }
  }

  // Claims until there is no more work, or no more room.
  async #claimAll(): Promise<number> {
    const { executor, pollMs } = this.#options;
    // Between open claims it looks for what they leave alone, such as runs that have woken up.
    const limit = Math.min(executor.room, this.#isBetween ? this.#portion : batchSize);
    this.#isBetween = false;
    await this.#openClaimer.forget();
    this.#isHungry = limit < this.#portion;
    if (limit === 0 || executor.options.registry.hosted.length === 0) return pollMs();
    await this.#sweep();
    if (this.#hasSuspects) await this.#claimOthers(limit >> 1);
    const ahead: Asked[] = [];
    for (let asked = this.#ask(Math.min(limit, executor.room)); ;) {
      const claim = await asked.answer;
      this.#learn(claim, asked.limit);
      const isForOpenClaims = this.#isForOpenClaims(claim);
      if (!isForOpenClaims) this.#askAhead(claim, ahead);
      await executor.adopter.adopt(claim.runs, asked.by);
      const next = ahead.shift();
      if (next !== undefined) {
        asked = next;
        continue;
      }
      if (!isForOpenClaims) return this.#waitAfter(claim);
      await this.#openClaimer.work();
      this.#isBetween = true;
      return 0;
    }
  }

  // Runs that are claimed one by one keep nobody else waiting, nor others them: half of the room is theirs.
  async #claimOthers(limit: number): Promise<void> {
    const { answer, by } = this.#ask(limit, false);
    const claim = await answer;
    this.#learn(claim, limit);
    await this.#options.executor.adopter.adopt(claim.runs, by);
  }

  // There is plenty of what open claims are for: new runs in line, without limits.
  #isForOpenClaims({ runs, queues }: Claim): boolean {
    if (!this.#isHungry || queues.hasLimits || this.#isSweepDue || !this.#openClaimer.isWorthwhile) return false;
    const inLine = runs.reduce(
      (count, { queue, isContinued }) => count + (queue !== undefined && !isContinued ? 1 : 0),
      0,
    );
    return inLine > runs.length / 2;
  }

  #ask(limit: number, withSuspect = true): Asked {
    const { database, executor } = this.#options;
    const { executorId, queues, options } = executor;
    // The odd one goes to either side in turn, so that neither queues nor other work starve at a room of one.
    const share = (limit + (this.#rounds++ % 2)) >> 1;
    const standing = { serves: queues.serves, live: queues.live, cursors: this.#cursors, share };
    const { hosted } = options.registry;
    const answer = claimRuns(database, { executor: executorId, hosted, limit, standing, withSuspect });
    answer.catch(() => undefined); // nobody waits for it yet
    return { by: executorId, limit, answer };
  }

  // With plenty of work, the database claims the next runs while this process begins these.
  #askAhead({ runs, queues }: Claim, ahead: Asked[]): void {
    // The limits of an executor count what is in memory: these runs are not yet.
    if (!this.#isHungry || queues.hasLimits || this.#isSweepDue) return;
    let room = this.#options.executor.room - runs.length - ahead.reduce((sum, { limit }) => sum + limit, 0);
    while (ahead.length < claimsAhead && room >= this.#portion) {
      const next = this.#ask(Math.min(room, batchSize));
      ahead.push(next);
      room -= next.limit;
    }
  }

  #learn({ runs, queues, hasSuspects }: Claim, limit: number): void {
    for (const [queue, key] of queues.cursors) this.#cursors.set(queue, key);
    this.#hasLimits = queues.hasLimits;
    this.#hasSuspects = hasSuspects;
    this.#fruitless = runs.length > 0 ? 0 : this.#fruitless + 1;
    this.#isHungry = runs.length === limit;
    this.#options.executor.queues.isBehind = this.#isHungry;
  }

  #waitAfter({ runs, nextDueInMs = Infinity, hasPassedOver, queues }: Claim): number {
    const { executor, pollMs } = this.#options;
    if (this.#isHungry && executor.room >= this.#portion) return 0;
    if (queues.hasMore && this.#fruitless < fruitlessSweeps && executor.room > 0) return 0;
    const isInVain = hasPassedOver && runs.length === 0;
    this.#comeBackInMs = isInVain ? Math.min(this.#comeBackInMs * 2, longestLockedMs) : lockedMs;
    return soonest([
      pollMs(),
      this.#isHungry ? Infinity : nextDueInMs,
      hasPassedOver ? this.#comeBackInMs : Infinity,
      queues.isContended ? contendedMs : Infinity,
      this.#hasLimits ? blockedMs : Infinity,
      Math.ceil(queues.nextAdmissionInMs ?? Infinity),
    ]);
  }

  get #isSweepDue(): boolean {
    const now = performance.now();
    return now <= this.#sweepsUntil || now - this.#sweptAt >= sweepEveryMs;
  }

  // Gives back what is owned and not in memory, before the next claim: nothing of a claim is under way here then.
  async #sweep(): Promise<void> {
    if (!this.#isSweepDue) return;
    const { database, executor } = this.#options;
    const now = performance.now();
    const released = await releaseUnknown(database, executor.executorId, executor.knownRuns);
    this.#sweptAt = now;
    if (released > 0) executor.logger.warn({ runs: released }, 'runs were owned here and not in memory: released');
  }
}

function soonest(waitsMs: readonly number[]): number {
  return Math.max(1, Math.min(...waitsMs));
}

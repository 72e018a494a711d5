// Works off a backlog of new runs with open claims, several at once: while the runs of one begin here, the database locks or writes
// those of the others. Called by the claimer alone, between two of its claims; nothing else is claimed meanwhile.

import type { Executor } from '../run/executor.js';
import { maxTransactions, type Database } from '../store/database.js';
import { forgetOpenClaims, lockRuns, noteOpenClaim, type LockedRuns, type Mark } from '../store/open-claims.js';
import type { PooledTransaction } from '../store/pooled-transaction.js';
import type { ExecutorId } from '../values/ids.js';

// What wakes up meanwhile is claimed after it.
const longestMs = 250;
const batchSize = 1_000;
// Four statements and a commit: for a few runs, a claim is cheaper that is committed first.
const smallest = 50;
// Where runs do not end at once, because they have steps or wait, nothing is won.
const tryAgainMs = 10_000;

interface Attempt {
  readonly by: ExecutorId;
  readonly limit: number;
  /** Tells those that are under way at once apart. */
  readonly number: number;
}

/** The open claims of one executor. */
export class OpenClaimer {
  readonly #database: Database;
  readonly #executor: Executor;
  readonly #cursors: Map<string, string>;
  readonly #limit: number;
  #isOver = false;
  // How far each key has been claimed. Who comes into line before that is found the next time.
  readonly #marks = new Map<string, Mark>();
  // What claims under way have been promised of the room.
  #promised = 0;
  #notBefore = -Infinity;
  #hasNotes = false;

  /** `cursors`: the key that was served last in each queue. */
  constructor(database: Database, executor: Executor, cursors: Map<string, string>) {
    this.#database = database;
    this.#executor = executor;
    this.#cursors = cursors;
    this.#limit = Math.min(batchSize, Math.floor(executor.options.maxConcurrentRuns / maxTransactions));
  }

  /** Whether open claims are likely to be cheaper than others. */
  get isWorthwhile(): boolean {
    return this.#limit >= smallest && performance.now() >= this.#notBefore;
  }

  /** Forgets what was noted, which others leave alone as long as it is. Not while claims are under way. */
  async forget(): Promise<void> {
    if (!this.#hasNotes) return;
    await forgetOpenClaims(this.#database, this.#executor.executorId);
    this.#hasNotes = false;
  }

  /** Claims as long as there is plenty, there is room, and it is worthwhile; for a while at most. */
  async work(): Promise<void> {
    const until = performance.now() + longestMs;
    this.#isOver = false;
    this.#marks.clear();
    const claims = Array.from({ length: maxTransactions }, (_, number) => this.#claimUntil(until, number));
    const ends = await Promise.allSettled(claims);
    await this.forget();
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  async #claimUntil(until: number, number: number): Promise<void> {
    while (!this.#isOver && performance.now() < until) {
      const limit = Math.min(this.#limit, this.#executor.room - this.#promised);
      if (limit < smallest) return;
      try {
        if ((await this.#claim(limit, number)) < limit) this.#isOver = true;
      } catch (error) {
        this.#isOver = true;
        throw error;
      }
    }
  }

  // Returns how many it found, or none when it was not worth it.
  async #claim(limit: number, number: number): Promise<number> {
    const { executorId: by, adopter } = this.#executor;
    const transaction = await this.#database.begin();
    try {
      const locked = await this.#lock(transaction, { by, limit, number });
      if (locked === undefined) return 0;
      const hasWon = await adopter.adoptOpenly(locked, transaction, by);
      if (!hasWon) this.#notBefore = performance.now() + tryAgainMs;
      return this.isWorthwhile ? locked.runs.length : 0;
    } finally {
      await transaction.abandon();
    }
  }

  async #lock(transaction: PooledTransaction, { by, limit, number }: Attempt): Promise<LockedRuns | undefined> {
    const { queues, options } = this.#executor;
    const { hosted } = options.registry;
    this.#promised += limit;
    try {
      const marks = [...this.#marks.values()];
      const claimant = { executor: by, hosted, limit, serves: queues.serves, cursors: this.#cursors, marks };
      const locked = await lockRuns(transaction, claimant);
      this.#mark(marks, locked.marks);
      if (locked.runs.length === 0) return undefined;
      this.#hasNotes = true;
      return (await noteOpenClaim(this.#database.beside, by, { number, runs: locked.runs })) ? locked : undefined;
    } finally {
      this.#promised -= limit;
    }
  }

  // Answers come in any order.
  #mark(before: readonly Mark[], after: readonly Mark[]): void {
    const nameOf = ({ queue, key }: Mark): string => JSON.stringify([queue, key]);
    const ahead = new Set(after.map(nameOf));
    for (const mark of before) if (!ahead.has(nameOf(mark))) this.#marks.delete(nameOf(mark));
    for (const mark of after) {
      this.#cursors.set(mark.queue, mark.key);
      const known = this.#marks.get(nameOf(mark));
      if (known === undefined || isBehind(known, mark)) this.#marks.set(nameOf(mark), mark);
    }
  }
}

function isBehind(one: Mark, other: Mark): boolean {
  if (one.priority !== other.priority) return one.priority < other.priority;
  return one.position < other.position;
}

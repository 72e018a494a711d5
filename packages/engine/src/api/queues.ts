// Looking at queues and steering them, from outside.

import type { Executor } from '../run/executor.js';
import type { News } from '../services/notifier.js';
import type { Database } from '../store/database.js';
import { countQueues, findWaitFacts, moveRun, type QueueCounts, type WaitFacts } from '../store/queue-facts.js';
import { changeQueue, declareQueue, deleteQueue, setQueuePaused } from '../store/queue-rows.js';
import { selectRunsById } from '../store/runs.js';
import { parseDuration, type Duration } from '../values/duration.js';
import { PerdureError } from '../values/errors.js';
import { checkRunId } from '../values/ids.js';
import { refuseUnknown } from '../values/unknown-options.js';
import { checkLimits, checkQueues, placeOf, queueName, type Queue, type QueueOptions } from './queue.js';
import { reasonOf, type WaitReason } from './wait-reason.js';

/** A queue as it stands. */
export interface QueueInfo {
  readonly name: string;
  /** The limits in force: as declared, or as changed at run time since. */
  readonly limits: QueueOptions;
  readonly isPaused: boolean;
  /** Its unfinished runs: in line, delayed, in memory, and parked with a slot. */
  readonly counts: {
    readonly ready: number;
    readonly delayed: number;
    readonly running: number;
    readonly waiting: number;
  };
}

/** Why a run does not go on, in a word, in words, and in numbers. */
export interface WaitExplanation {
  readonly reason: WaitReason;
  readonly words: string;
  readonly facts: WaitFacts;
}

/** What can be changed of a run that has not begun. */
export interface MoveOptions {
  /** Lower first. */
  readonly priority?: number;
  /** From now on; 0 ends the delay. */
  readonly delay?: Duration;
}

/** `engine.queues`. */
export class Queues {
  readonly #database: Database;
  readonly #executor: Executor;
  readonly #tell: (news: News) => void;

  /** @internal */
  constructor(database: Database, executor: Executor, tell: (news: News) => void) {
    this.#database = database;
    this.#executor = executor;
    this.#tell = tell;
  }

  /** A queue, or undefined when there is none of this name. */
  async get(name: Queue | string): Promise<QueueInfo | undefined> {
    const [found] = await countQueues(this.#database, queueName(name));
    return found === undefined ? undefined : toInfo(found);
  }

  /** All queues of the database, by name. */
  async list(): Promise<readonly QueueInfo[]> {
    return (await countQueues(this.#database, undefined)).map(toInfo);
  }

  /**
   * Declares a queue, as `createEngine({ queues })` does: another declaration than the last one is applied, the same one
   * leaves changes made at run time. Safe to repeat. Throws OPTION_INVALID.
   */
  async declare(queue: Queue): Promise<void> {
    checkQueues([queue]);
    await declareQueue(this.#database, queue.name, queue.limits);
    await this.#changed();
  }

  /**
   * Replaces the limits of a queue; what is under way goes on. They count from the next start on, in all processes; only of
   * `executorConcurrency` other processes hear within 5 seconds. Holds until its declaration in code changes. Throws QUEUE_UNKNOWN, OPTION_INVALID, DURATION_INVALID, QUEUE_LIMIT_CONFLICT.
   */
  async update(name: Queue | string, limits: QueueOptions): Promise<void> {
    const known = queueName(name);
    await this.#require(known, await changeQueue(this.#database, known, checkLimits(known, limits)));
  }

  /** Lets nothing start from a queue until it is resumed; what is under way goes on. Throws QUEUE_UNKNOWN. Safe to repeat. */
  async pause(name: Queue | string): Promise<void> {
    await this.#require(queueName(name), await setQueuePaused(this.#database, queueName(name), true));
  }

  /** Ends a pause. Throws QUEUE_UNKNOWN. Safe to repeat. */
  async resume(name: Queue | string): Promise<void> {
    await this.#require(queueName(name), await setQueuePaused(this.#database, queueName(name), false));
  }

  /** Deletes a queue without unfinished runs; returns whether there was one. Throws QUEUE_IN_USE. */
  async delete(name: Queue | string): Promise<boolean> {
    const queue = queueName(name);
    const { isDeleted, runs } = await deleteQueue(this.#database, queue);
    if (runs > 0) throw new PerdureError('QUEUE_IN_USE', { queue, runs });
    await this.#changed();
    return isDeleted;
  }

  /**
   * Changes priority or delay of a run that has not begun. Throws RUN_NOT_FOUND, RUN_STATE_CONFLICT, OPTION_INVALID,
   * DURATION_INVALID.
   */
  async move(id: string, options: MoveOptions): Promise<void> {
    const runId = checkRunId(id);
    refuseUnknown(options, { priority: true, delay: true }, 'moves');
    const { priority, delay } = options;
    placeOf({ queue: 'any', ...(priority === undefined ? {} : { priority }) });
    const delayMs = delay === undefined ? undefined : parseDuration(delay, 'delay');
    if (await moveRun(this.#database, runId, { priority, delayMs })) return this.#tell({ due: true });
    const [run] = await selectRunsById(this.#database, [runId]);
    if (run === undefined) throw new PerdureError('RUN_NOT_FOUND', { id });
    throw new PerdureError('RUN_STATE_CONFLICT', { id, status: run.status, action: 'move in its queue' });
  }

  /** Why a run does not go on. Throws RUN_NOT_FOUND, RUN_ID_INVALID. */
  async explain(id: string): Promise<WaitExplanation> {
    const facts = await findWaitFacts(this.#database, checkRunId(id));
    if (facts === undefined) throw new PerdureError('RUN_NOT_FOUND', { id });
    return { ...reasonOf(facts), facts };
  }

  async #require(queue: string, isKnown: boolean): Promise<void> {
    await this.#changed();
    if (!isKnown) throw new PerdureError('QUEUE_UNKNOWN', { queue, known: this.#executor.queues.names });
  }

  async #changed(): Promise<void> {
    await this.#executor.queues.refresh();
    this.#tell({ due: true });
  }
}

function toInfo({ queue, ...counts }: QueueCounts): QueueInfo {
  const { name, isPaused, concurrency, executorConcurrency, keyConcurrency, rateLimit, ratePerMs } = queue;
  const limits: QueueOptions = {
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(executorConcurrency === undefined ? {} : { executorConcurrency }),
    ...(keyConcurrency === undefined ? {} : { perKey: { concurrency: keyConcurrency } }),
    ...(rateLimit === undefined || ratePerMs === undefined
      ? {}
      : { rateLimit: { limit: rateLimit, per: ratePerMs, ...(queue.isRatePerKey ? { key: 'partition' } : {}) } }),
    ...(queue.releasesWhileWaiting ? { releaseWhileWaiting: true } : {}),
  };
  return { name, limits, isPaused, counts };
}

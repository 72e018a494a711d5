// Claims due runs when there is room for them: after a notification, when the next timer is due, when a run has left,
// and at the poll interval in any case. New work, timers, wake-ups and recovered runs all come this way.

import type { Executor } from '../run/executor.js';
import type { Database } from '../store/database.js';
import { claimRuns, releaseUnknown } from '../store/queues.js';
import type { ExecutorId } from '../values/ids.js';
import { Service } from './service.js';

/** What the claimer works with. */
export interface ClaimerOptions {
  readonly database: Database;
  readonly executor: Executor;
  /** The longest wait between two rounds. */
  readonly pollMs: () => number;
}

// How soon to come back for a run whose row was locked: locks are held for one statement, as a rule.
const lockedMs = 5;
const longestLockedMs = 1_000;
// Bounds what one round loads: recovery of thousands of runs comes in portions, and the event loop breathes between.
const batchSize = 500;

// How soon to count again in a queue that somebody else was counting in: about as long as a claim takes.
const contendedMs = 4;
// With somebody in line who cannot go, another process may free a slot and die before it tells.
const blockedMs = 1_000;
// After so many windows of keys without anybody who may go, the rest waits for the next occasion.
const fruitlessSweeps = 20;

const sweepEveryMs = 30_000;
const sweepsAfterErrorMs = 60_000;

/** The claimer, and what tells it that a run has left. */
export interface Claimer {
  readonly service: Service;
  readonly onRoom: (queue: string | undefined) => void;
}

/** The claimer of one executor. */
export function claimer({ database, executor, pollMs }: ClaimerOptions): Claimer {
  const { registry, maxConcurrentRuns } = executor.options;
  // With more work than room, the next claim waits until a quarter is free: claiming one by one would cost a statement a run.
  const portion = Math.max(1, Math.floor(Math.min(maxConcurrentRuns, batchSize) / 4));
  let isHungry = false;
  // Of performance.now(): the answer of a claim can be lost long before the claim commits.
  let sweptAt = performance.now();
  let sweepsUntil = -Infinity;
  let comeBackInMs = lockedMs;
  let hasLimits = false;
  let fruitless = 0;
  let rounds = 0;
  const cursors = new Map<string, string>();
  // Gives back what is owned and not in memory, before the next claim: nothing of a claim is under way here then.
  const sweep = async (id: ExecutorId): Promise<void> => {
    const now = performance.now();
    if (now > sweepsUntil && now - sweptAt < sweepEveryMs) return;
    const released = await releaseUnknown(database, id, executor.knownRuns);
    sweptAt = now;
    if (released > 0) executor.logger.warn({ runs: released }, 'runs were owned here and not in memory: released');
  };
  const claim = async (): Promise<number> => {
    const limit = Math.min(executor.room, batchSize);
    isHungry = limit < portion;
    if (limit === 0 || registry.hosted.length === 0) return pollMs();
    const { executorId: id, queues: book } = executor;
    await sweep(id);
    // The odd one goes to either side in turn, so that neither queues nor other work starve at a room of one.
    const standing = { serves: book.serves, live: book.live, cursors, share: (limit + (rounds++ % 2)) >> 1 };
    const { hosted } = registry;
    const claimed = await claimRuns(database, { executor: id, hosted, limit, standing });
    const { runs, nextDueInMs = Infinity, hasPassedOver, queues } = claimed;
    for (const [queue, key] of queues.cursors) cursors.set(queue, key);
    hasLimits = queues.hasLimits;
    fruitless = runs.length > 0 ? 0 : fruitless + 1;
    await executor.adopt(runs, id);
    isHungry = runs.length === limit;
    book.isBehind = isHungry;
    if (isHungry && executor.room >= portion) return 0;
    if (queues.hasMore && fruitless < fruitlessSweeps && executor.room > 0) return 0;
    comeBackInMs = hasPassedOver ? Math.min(comeBackInMs * 2, longestLockedMs) : lockedMs;
    return soonest([
      pollMs(),
      isHungry ? Infinity : nextDueInMs,
      hasPassedOver ? comeBackInMs : Infinity,
      queues.isContended ? contendedMs : Infinity,
      hasLimits ? blockedMs : Infinity,
      Math.ceil(queues.nextAdmissionInMs ?? Infinity),
    ]);
  };
  const round = async (): Promise<number> => {
    try {
      return await claim();
    } catch (error) {
      sweepsUntil = performance.now() + sweepsAfterErrorMs; // the claim may have been carried out, or still be
      throw error;
    }
  };
  const onRoom = (queue: string | undefined): void => {
    if (isHungry ? executor.room >= portion : hasLimits && queue !== undefined) service.poke();
  };
  const service = new Service({ name: 'claimer', round, logger: executor.logger, retryMs: 250 });
  return { service, onRoom };
}

function soonest(waitsMs: readonly number[]): number {
  return Math.max(1, Math.min(...waitsMs));
}

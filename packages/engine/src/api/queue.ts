// Defining queues, and where in one a start goes.

import type { QueueLimits } from '../store/queue-rows.js';
import type { QueuePlace } from '../store/queue-starts.js';
import { parseDuration, type Duration } from '../values/duration.js';
import { PerdureError } from '../values/errors.js';
import { checkName } from '../values/ids.js';
import { refuseUnknown } from '../values/unknown-options.js';

/** The limits of a queue. Without any, everything in it starts as soon as some process has room. */
export interface QueueOptions {
  /** How many of its runs are under way at once, over all processes. A run that waits keeps its slot. Default: no limit. */
  readonly concurrency?: number;
  /** How many of its runs are in the memory of one process at once. Default: no limit but `maxConcurrentRuns`. */
  readonly executorConcurrency?: number;
  /** How many runs of one partition key are under way at once, over all processes. */
  readonly perKey?: { readonly concurrency: number };
  /** How many start in any window of the length `per`: in the queue, or with `key: 'partition'` of each key. */
  readonly rateLimit?: { readonly limit: number; readonly per: Duration; readonly key?: 'partition' };
  /** A run that is parked gives its slot back, and gets in line again at its old place when it is due. Default: false. */
  readonly releaseWhileWaiting?: boolean;
}

/** A queue, as code declares it. */
export interface Queue {
  readonly name: string;
  /** @internal */
  readonly limits: QueueLimits;
}

/** Where a start goes: the queue, and its place there. */
export interface PlaceOptions {
  /** The queue to start in, or its name. Default: none, the run begins at once. */
  readonly queue?: Queue | string;
  /** Keys of one queue take turns, and may have limits each. Needs a queue. */
  readonly partitionKey?: string;
  /** A whole number, lower first among the runs of one key; equal ones in the order of their start. Needs a queue. Default: 0. */
  readonly priority?: number;
  /** Unique among the unfinished runs of the queue: `onDuplicate` says what happens to a second start. Needs a queue. */
  readonly dedupKey?: string;
}

const queueOptions: Readonly<Record<keyof QueueOptions, true>> = {
  concurrency: true,
  executorConcurrency: true,
  perKey: true,
  rateLimit: true,
  releaseWhileWaiting: true,
};

const maxCount = 2 ** 31 - 1;
const longestWindowMs = 366 * 24 * 3_600_000;

/**
 * A queue: how many of the runs started in it are under way. Declare it with `createEngine({ queues })` of any process; all
 * processes then know it. Its limits can be changed at run time, which holds until this declaration changes.
 * Throws NAME_INVALID, OPTION_INVALID, DURATION_INVALID, QUEUE_LIMIT_CONFLICT.
 *
 * @example
 * const mail = queue('mail', { concurrency: 20, perKey: { concurrency: 2 }, rateLimit: { limit: 100, per: '1 minute' } });
 */
export function queue(name: string, options: QueueOptions = {}): Queue {
  return { name: checkName('queue', name), limits: checkLimits(name, options) };
}

/** Checks limits. Throws OPTION_INVALID, DURATION_INVALID, QUEUE_LIMIT_CONFLICT. */
export function checkLimits(name: string, options: QueueOptions): QueueLimits {
  refuseUnknown(options, queueOptions, 'queues');
  const { concurrency, executorConcurrency, perKey, rateLimit, releaseWhileWaiting = false } = options;
  if (perKey !== undefined) refuseUnknown(perKey, { concurrency: true }, 'limits per key');
  if (rateLimit !== undefined) refuseUnknown(rateLimit, { limit: true, per: true, key: true }, 'rate limits');
  const limits: QueueLimits = {
    concurrency: checkCount(concurrency, 'concurrency'),
    executorConcurrency: checkCount(executorConcurrency, 'executorConcurrency'),
    keyConcurrency: perKey === undefined ? undefined : requireCount(perKey.concurrency, 'perKey.concurrency'),
    rateLimit: rateLimit === undefined ? undefined : requireCount(rateLimit.limit, 'rateLimit.limit'),
    ratePerMs: rateLimit === undefined ? undefined : checkWindow(rateLimit.per),
    isRatePerKey: rateLimit?.key !== undefined,
    releasesWhileWaiting: releaseWhileWaiting,
  };
  if (rateLimit?.key !== undefined && rateLimit.key !== 'partition')
    throw invalid('rateLimit.key', rateLimit.key, "it can only be 'partition'");
  if (typeof releaseWhileWaiting !== 'boolean')
    throw invalid('releaseWhileWaiting', releaseWhileWaiting, 'it is neither true nor false');
  refuseConflict(name, limits);
  return limits;
}

/** The place of a start in its queue. Throws NAME_INVALID, OPTION_INVALID. */
export function placeOf(
  { queue: named, partitionKey, priority, dedupKey }: PlaceOptions,
  usual?: string,
): QueuePlace | undefined {
  const chosen = named ?? usual;
  if (chosen === undefined) {
    const needsQueue = 'it needs the option queue';
    if (partitionKey !== undefined) throw invalid('partitionKey', partitionKey, needsQueue);
    if (priority !== undefined) throw invalid('priority', priority, needsQueue);
    if (dedupKey !== undefined) throw invalid('dedupKey', dedupKey, needsQueue);
    return undefined;
  }
  const isWhole = priority === undefined || (Number.isInteger(priority) && Math.abs(priority) <= maxCount);
  if (!isWhole) throw invalid('priority', priority, `it is not a whole number from -${maxCount} to ${maxCount}`);
  return {
    queue: queueName(chosen),
    partitionKey: partitionKey === undefined ? '' : checkName('partition key', partitionKey),
    priority: priority ?? 0,
    dedupKey: dedupKey === undefined ? undefined : checkName('dedup key', dedupKey),
  };
}

/** The name of a queue that is given as such or by its name. Throws NAME_INVALID. */
export function queueName(chosen: Queue | string): string {
  return checkName('queue', typeof chosen === 'object' && chosen !== null ? chosen.name : chosen);
}

/** The queues of one engine. Throws OPTION_INVALID, QUEUE_DUPLICATE. */
export function checkQueues(queues: readonly Queue[]): readonly Queue[] {
  const known = new Map<string, Queue>();
  for (const each of queues) {
    const given: Queue | undefined = each;
    if (given?.limits === undefined) throw invalid('queues', typeof given, 'make one with queue()');
    if ((known.get(given.name) ?? given) !== given) throw new PerdureError('QUEUE_DUPLICATE', { queue: given.name });
    known.set(given.name, given);
  }
  return [...known.values()];
}

function refuseConflict(queue: string, { concurrency, executorConcurrency, keyConcurrency }: QueueLimits): void {
  if (concurrency === undefined) return;
  const conflict = (reason: string): PerdureError => new PerdureError('QUEUE_LIMIT_CONFLICT', { queue, reason });
  if (executorConcurrency !== undefined && executorConcurrency > concurrency)
    throw conflict(`${executorConcurrency} per executor, but ${concurrency} overall, so that some can never be used`);
  if (keyConcurrency !== undefined && keyConcurrency > concurrency)
    throw conflict(`${keyConcurrency} per key, but ${concurrency} overall, so that some can never be used`);
}

function checkCount(value: number | undefined, option: string): number | undefined {
  return value === undefined ? undefined : requireCount(value, option);
}

function requireCount(value: number, option: string): number {
  if (Number.isInteger(value) && value >= 1 && value <= maxCount) return value;
  throw invalid(option, value, `it is not a whole number from 1 to ${maxCount}; to stop a queue, pause it`);
}

function checkWindow(per: Duration): number {
  const ms = parseDuration(per, 'rateLimit.per');
  if (ms >= 1 && ms <= longestWindowMs) return ms;
  throw invalid('rateLimit.per', per, 'a window is between a millisecond and a year');
}

function invalid(option: string, value: unknown, reason: string): PerdureError {
  return new PerdureError('OPTION_INVALID', { option, value, reason });
}

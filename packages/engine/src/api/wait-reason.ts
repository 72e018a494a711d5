// Why a run does not go on: the first of its obstacles, in the order in which they are met.

import type { WaitFacts } from '../store/queue-facts.js';
import { isFinal } from '../values/status.js';

/** What a run is kept by. */
export type WaitReason =
  | 'not waiting'
  | 'paused'
  | 'delayed'
  | 'parked'
  | 'no executor'
  | 'queue deleted'
  | 'queue paused'
  | 'concurrency'
  | 'key concurrency'
  | 'rate limit'
  | 'in line'
  | 'no room';

interface Reason {
  readonly reason: WaitReason;
  readonly words: string;
}

/** The reason, and a sentence about it. */
export function reasonOf(facts: WaitFacts): Reason {
  const { status, slot, dueInMs } = facts;
  if (isFinal(status) || status === 'running') return say('not waiting', `It is ${status}.`);
  if (status === 'paused') return say('paused', 'It is paused: engine.runs.resume lets it go on.');
  if (slot !== 'ready' && dueInMs === undefined)
    return say('parked', 'It waits for a message, an event or another run.');
  if (slot !== 'ready' && dueInMs !== undefined && dueInMs > 0)
    return status === 'queued'
      ? say('delayed', `Its delay ends in ${inSeconds(dueInMs)}.`)
      : say('parked', `It waits, for ${inSeconds(dueInMs)} at most.`);
  if (facts.executors === 0)
    return say('no executor', 'No live executor hosts its workflow in its version and serves its queue.');
  return slot === 'ready' ? inQueue(facts) : say('no room', 'It is due, and begins as soon as an executor has room.');
}

function inQueue(facts: WaitFacts): Reason {
  const { queue, isPaused, concurrency, underWay, keyConcurrency, underWayOfKey, partitionKey } = facts;
  const { rateLimit, startedInWindow, windowEndsInMs, ahead } = facts;
  if (isPaused === undefined) return say('queue deleted', `There is no queue "${queue}" any more; declare it again.`);
  if (isPaused) return say('queue paused', `Queue "${queue}" is paused: engine.queues.resume lets it go on.`);
  if (concurrency !== undefined && underWay >= concurrency)
    return say('concurrency', `Queue "${queue}" allows ${concurrency} at once, and ${underWay} are under way.`);
  if (keyConcurrency !== undefined && underWayOfKey >= keyConcurrency)
    return say(
      'key concurrency',
      `Queue "${queue}" allows ${keyConcurrency} of a key at once, and ${underWayOfKey} of "${partitionKey}" are under way.`,
    );
  if (rateLimit !== undefined && startedInWindow >= rateLimit)
    return say(
      'rate limit',
      `Queue "${queue}" has let ${startedInWindow} of ${rateLimit} go; the next one may in ${inSeconds(windowEndsInMs ?? 0)}.`,
    );
  if (ahead > 0) return say('in line', `${ahead} run(s) of its key are before it in queue "${queue}".`);
  return say('no room', `It is next of its key in queue "${queue}", and begins as soon as an executor has room.`);
}

function say(reason: WaitReason, words: string): Reason {
  return { reason, words };
}

function inSeconds(ms: number): string {
  return `${(Math.max(0, ms) / 1_000).toFixed(1)} s`;
}

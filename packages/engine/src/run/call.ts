// A durable call of workflow code, and what identifies it: its name, and the how-manieth call of that name it is.

import type { EventQuery } from '../store/events.js';
import type { Publications } from '../store/publications.js';
import type { StepRecord } from '../store/steps.js';

interface Identity {
  readonly kind: string;
  readonly name: string;
  readonly occurrence: number;
}

/** A recorded operation that workflow code has called and that has not been answered yet. */
export interface Call extends Identity {
  readonly startedAtMs: number;
  /** The wait's deadline, for a call that only waits; Infinity when it has none. */
  waitsUntilMs: number | undefined;
  /** The run that the call awaits. */
  childId: string | undefined;
  /** The topic whose message it awaits. */
  topic?: string;
  /** The event of another run that it awaits. */
  event?: EventQuery;
  /** What is committed together with its result, once its place in the history is known. */
  publish?: (seq: number) => Publications;
}

/** A result in the form in which it is stored. */
export interface Result {
  readonly output?: string;
  readonly error?: string;
}

/** A call that waits for its answer in a delivery. */
export interface PendingCall extends Call {
  /** Under which name and occurrence it is or will be recorded. */
  readonly key: string;
  readonly record: StepRecord | undefined;
  readonly begin: (call: Call) => void;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** A marker is recorded out of order, when the code passes it. */
export const markKind = 'patch';

/** The call that a marker is recorded as. */
export function markCall(name: string, startedAtMs: number): Call {
  return { kind: markKind, name, occurrence: 1, startedAtMs, waitsUntilMs: undefined, childId: undefined };
}

/** The identity of a step in its run. */
export function keyOf(name: string, occurrence: number): string {
  return occurrence === 1 ? name : `${name}\u0000${occurrence}`;
}

/** An operation in words, for messages. */
export function describe({ kind, name, occurrence }: Identity): string {
  return `${kind} "${name}"${occurrence === 1 ? '' : ` (call ${occurrence})`}`;
}

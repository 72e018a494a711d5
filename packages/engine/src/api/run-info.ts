// A run and its steps as users see them.

import type { RunFacts, RunRow } from '../store/runs.js';
import type { StepRecord } from '../store/steps.js';
import type { RunId } from '../values/ids.js';
import { decode, decodeError } from '../values/serialize.js';
import type { RunStatus } from '../values/status.js';

/** A run as it stands, without its payloads. Times are of the database's clock. */
export interface RunSummary {
  readonly id: RunId;
  readonly workflow: string;
  readonly version: string;
  readonly status: RunStatus;
  readonly parentId: string | undefined;
  /** The queue that it was started in. */
  readonly queue: string | undefined;
  /** Who runs it, or ran it last. */
  readonly executor: string | undefined;
  /** How often it has been claimed. */
  readonly epoch: number;
  /** How often its owner died. */
  readonly recoveries: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
  readonly startedAt: Date | undefined;
  readonly finishedAt: Date | undefined;
  /** queued or waiting: when it may be claimed; undefined for not before a wake-up. */
  readonly dueAt: Date | undefined;
  readonly deadlineAt: Date | undefined;
}

/** A run as it stands. */
export interface RunInfo extends RunSummary {
  readonly input: unknown;
  /** The result, once succeeded. */
  readonly output: unknown;
  /** What it threw, once failed or cancelled, or why it was paused. */
  readonly error: unknown;
}

/** A recorded operation of a run, in the order in which results reached its code. */
export interface StepInfo {
  readonly seq: number;
  readonly name: string;
  /** The how-manieth call of that name, from 1. */
  readonly occurrence: number;
  readonly kind: string;
  readonly output: unknown;
  readonly error: unknown;
  readonly childId: string | undefined;
  readonly startedAt: Date;
  readonly finishedAt: Date;
}

/** A row of a list. */
export function toSummary(run: RunFacts): RunSummary {
  const { createdAtMs, startedAtMs, finishedAtMs, dueAtMs, deadlineAtMs, attributes, ...same } = run;
  return {
    ...same,
    attributes: attributes ?? {},
    createdAt: new Date(createdAtMs),
    startedAt: dateOf(startedAtMs),
    finishedAt: dateOf(finishedAtMs),
    dueAt: dateOf(dueAtMs),
    deadlineAt: dateOf(deadlineAtMs),
  };
}

/** A whole row. */
export function toInfo({ input, output, error, ...run }: RunRow): RunInfo {
  const { id } = run;
  return {
    ...toSummary(run),
    input: decode(input, `the input of run ${id}`),
    output: output === undefined ? undefined : decode(output, `the result of run ${id}`),
    error: error === undefined ? undefined : decodeError(error),
  };
}

/** A recorded step. */
export function toStepInfo({ output, error, startedAtMs, finishedAtMs, ...step }: StepRecord): StepInfo {
  return {
    ...step,
    output: output === undefined ? undefined : decode(output, `step "${step.name}"`),
    error: error === undefined ? undefined : decodeError(error),
    startedAt: new Date(startedAtMs),
    finishedAt: new Date(finishedAtMs),
  };
}

function dateOf(ms: number | undefined): Date | undefined {
  return ms === undefined ? undefined : new Date(ms);
}

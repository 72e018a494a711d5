// The journal's one statement: starts, checkpoints and outcomes of many runs, committed together.
// Called by the journal only. Everything that an executor must be fenced from goes through here.

import type { ExecutorId, RunId } from '../values/ids.js';
import type { RunStatus } from '../values/status.js';
import { batchStatements, type Ends, type Starts } from './batch-statements.js';
import { int4Array, int8Array, textArray, timestampArray } from './binary-arrays.js';
import { isEmpty, publicationColumns, type Publications } from './publications.js';
import { idempotencyColumns, type IdempotencyKey } from './idempotency-keys.js';
import { placeColumns, type QueuePlace } from './queue-starts.js';
import { findNumber, findTexts, onlyRow, readBoolean, readTexts, type Queryable } from './sql.js';

/** A run to insert: running here at once, waiting to be claimed, or already finished. */
export interface StartRow {
  readonly id: RunId;
  readonly workflow: string;
  readonly version: string;
  /** Changed to the outcome when the run finishes before its start has been sent. */
  status: RunStatus;
  /** Claimed by the writer in the same act, with epoch 1. */
  readonly isOwned: boolean;
  readonly dueAtMs: number | undefined;
  readonly place: QueuePlace | undefined;
  readonly idempotency: IdempotencyKey | undefined;
  readonly input: string;
  output: string | undefined;
  error: string | undefined;
  readonly timeoutMs: number | undefined;
  readonly deadlineAtMs: number | undefined;
  readonly parent: { readonly id: RunId; readonly epoch: number } | undefined;
  /** JSON object. */
  readonly attributes: string | undefined;
  readonly createdAtMs: number;
  finishedAtMs: number | undefined;
}

/** A step's result, or any other recorded operation. */
export interface CheckpointRow {
  readonly runId: RunId;
  readonly epoch: number;
  readonly seq: number;
  readonly name: string;
  readonly occurrence: number;
  readonly kind: string;
  readonly output: string | undefined;
  readonly error: string | undefined;
  readonly childId: RunId | undefined;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
}

/** The end of an ownership other than by parking: the outcome, or a pause. */
export interface OutcomeRow {
  readonly runId: RunId;
  readonly epoch: number;
  readonly status: RunStatus;
  readonly output: string | undefined;
  readonly error: string | undefined;
}

/** What goes into one commit. */
export interface BatchRows {
  readonly starts: readonly StartRow[];
  readonly checkpoints: readonly CheckpointRow[];
  readonly outcomes: readonly OutcomeRow[];
  readonly publications: Publications;
}

/** What became of a batch. Counts below the number of rows mean that some were refused. */
export interface BatchResult {
  /** False when the executor has been declared dead: then nothing was written. */
  readonly isOwner: boolean;
  /** The ids that were inserted, or undefined when all were. */
  readonly startedIds: readonly string[] | undefined;
  /** Those of them that were put in line, also if the writer wanted to run them at once. */
  readonly queuedIds: readonly string[];
  readonly recorded: number;
  readonly finished: number;
  /** Finished runs whose outcome some other process waits for. */
  readonly watchedIds: readonly string[];
  /** Runs that became due by these outcomes and events. */
  readonly woken: number;
  /** Runs that ended or published, with waiters that did not: the statement may not have seen them (`wakeWaiters`). */
  readonly unwoken: number;
}

/** Commits a batch. One round trip; safe to repeat only after asking what was written (`findWritten`). */
export async function commitBatch(db: Queryable, executor: ExecutorId, rows: BatchRows): Promise<BatchResult> {
  const { starts, checkpoints, outcomes, publications } = rows;
  const [kindOfStarts, kindOfEnds] = [startsIn(rows), endsIn(rows)];
  const values: (string | Buffer)[] = [executor];
  if (kindOfStarts !== 'none') values.push(...startColumns(starts));
  if (kindOfStarts === 'placed') values.push(...placeColumns(starts), ...idempotencyColumns(starts));
  if (kindOfEnds !== 'none') values.push(...checkpointColumns(checkpoints), ...outcomeColumns(outcomes));
  if (kindOfEnds === 'publishing') values.push(...publicationColumns(publications));
  const row = onlyRow(await db.query(batchStatements[kindOfStarts][kindOfEnds], values));
  return {
    isOwner: readBoolean(row, 'is_owner'),
    startedIds: findTexts(row, 'started_ids'),
    queuedIds: readTexts(row, 'queued_ids'),
    recorded: findNumber(row, 'recorded') ?? 0,
    finished: findNumber(row, 'finished') ?? 0,
    watchedIds: readTexts(row, 'watched_ids'),
    woken: findNumber(row, 'woken') ?? 0,
    unwoken: findNumber(row, 'unwoken') ?? 0,
  };
}

function startsIn({ starts }: BatchRows): Starts {
  if (starts.length === 0) return 'none';
  const isPlaced = starts.some(({ place, idempotency }) => place !== undefined || idempotency !== undefined);
  return isPlaced ? 'placed' : 'plain';
}

function endsIn({ checkpoints, outcomes, publications }: BatchRows): Ends {
  if (!isEmpty(publications)) return 'publishing';
  return checkpoints.length + outcomes.length > 0 ? 'plain' : 'none';
}

function startColumns(starts: readonly StartRow[]): readonly Buffer[] {
  return [
    textArray(starts.map((s) => s.id)),
    textArray(starts.map((s) => s.workflow)),
    textArray(starts.map((s) => s.version)),
    textArray(starts.map((s) => s.status)),
    int4Array(starts.map((s) => (s.isOwned ? 1 : 0))),
    timestampArray(starts.map((s) => s.dueAtMs)),
    textArray(starts.map((s) => s.input)),
    textArray(starts.map((s) => s.output)),
    textArray(starts.map((s) => s.error)),
    int8Array(starts.map((s) => s.timeoutMs)),
    timestampArray(starts.map((s) => s.deadlineAtMs)),
    textArray(starts.map((s) => s.parent?.id)),
    int4Array(starts.map((s) => s.parent?.epoch ?? 0)),
    textArray(starts.map((s) => s.attributes)),
    timestampArray(starts.map((s) => s.createdAtMs)),
    timestampArray(starts.map((s) => s.finishedAtMs)),
  ];
}

function checkpointColumns(checkpoints: readonly CheckpointRow[]): readonly Buffer[] {
  return [
    textArray(checkpoints.map((c) => c.runId)),
    int4Array(checkpoints.map((c) => c.epoch)),
    int4Array(checkpoints.map((c) => c.seq)),
    textArray(checkpoints.map((c) => c.name)),
    int4Array(checkpoints.map((c) => c.occurrence)),
    textArray(checkpoints.map((c) => c.kind)),
    textArray(checkpoints.map((c) => c.output)),
    textArray(checkpoints.map((c) => c.error)),
    textArray(checkpoints.map((c) => c.childId)),
    timestampArray(checkpoints.map((c) => c.startedAtMs)),
    timestampArray(checkpoints.map((c) => c.finishedAtMs)),
  ];
}

function outcomeColumns(outcomes: readonly OutcomeRow[]): readonly Buffer[] {
  return [
    textArray(outcomes.map((o) => o.runId)),
    int4Array(outcomes.map((o) => o.epoch)),
    textArray(outcomes.map((o) => o.status)),
    textArray(outcomes.map((o) => o.output)),
    textArray(outcomes.map((o) => o.error)),
  ];
}

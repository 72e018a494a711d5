// Histories: what a run has recorded, as replay needs it and as people read it.

import type { RunId } from '../values/ids.js';
import { textArray } from './binary-arrays.js';
import { findNumber, findText, readNumber, readText, statement, type Queryable, type Row } from './sql.js';

/** A recorded operation. */
export interface StepRecord {
  readonly seq: number;
  readonly name: string;
  readonly occurrence: number;
  readonly kind: string;
  readonly output: string | undefined;
  readonly error: string | undefined;
  readonly childId: string | undefined;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
}

/** A failed attempt of a step that is tried again. */
export interface AttemptRecord {
  readonly name: string;
  readonly occurrence: number;
  readonly attempt: number;
  readonly error: string;
  readonly failedAtMs: number;
  readonly nextAtMs: number;
}

/** Everything that a run needs to be replayed. */
export interface History {
  readonly steps: readonly StepRecord[];
  readonly attempts: readonly AttemptRecord[];
}

// Index: primary keys of both tables. One statement for all runs of a claim; steps sort before attempts by seq.
const selectHistories = statement(
  'histories',
  `select run_id, seq, name, occurrence, kind, output, error, child_id, null::int4 as attempt,
          (extract(epoch from started_at) * 1000)::float8 as started_at_ms,
          (extract(epoch from finished_at) * 1000)::float8 as finished_at_ms
   from {schema}.steps
   where run_id = any ($1::text[])
   union all
   select run_id, null, name, occurrence, 'attempt', null, error, null, attempt,
          (extract(epoch from failed_at) * 1000)::float8,
          (extract(epoch from next_at) * 1000)::float8
   from {schema}.step_attempts
   where run_id = any ($1::text[])
   order by run_id, seq, attempt`,
);

/** The histories of several runs; a run without any record has no entry. */
export async function loadHistories(db: Queryable, ids: readonly RunId[]): Promise<ReadonlyMap<string, History>> {
  if (ids.length === 0) return new Map();
  const rows = await db.query(selectHistories, [textArray(ids)]);
  const histories = new Map<string, { steps: StepRecord[]; attempts: AttemptRecord[] }>();
  for (const row of rows) {
    const id = readText(row, 'run_id');
    let history = histories.get(id);
    if (history === undefined) histories.set(id, (history = { steps: [], attempts: [] }));
    if (findNumber(row, 'seq') === undefined) history.attempts.push(parseAttempt(row));
    else history.steps.push(parseStep(row));
  }
  return histories;
}

// Index: primary key.
const selectHistory = statement(
  'select_steps',
  `select seq, name, occurrence, kind, output, error, child_id,
          (extract(epoch from started_at) * 1000)::float8 as started_at_ms,
          (extract(epoch from finished_at) * 1000)::float8 as finished_at_ms
   from {schema}.steps
   where run_id = $1 and seq > $2::int4
   order by seq
   limit $3::int4`,
);

/** The recorded steps of a run behind a seq, up to `limit` or all of them. */
export async function selectSteps(
  db: Queryable,
  id: RunId,
  { after, limit }: { readonly after: number; readonly limit: number | undefined },
): Promise<readonly StepRecord[]> {
  return (await db.query(selectHistory, [id, after, limit ?? null])).map(parseStep);
}

// A repetition finds its own row and answers with the time that it holds; another claim of the run cannot have made it,
// because that would know of it and number its attempts from there.
const insertAttempt = statement(
  'insert_attempt',
  `insert into {schema}.step_attempts (run_id, name, occurrence, attempt, error, failed_at, next_at)
   select $1, $3, $4::int4, $5::int4, $6, now(), now() + $7::float8 * interval '1 millisecond'
   from {schema}.runs r
   where r.id = $1 and r.epoch = $2::int4 and r.status = 'running'
   on conflict (run_id, name, occurrence, attempt) do update set next_at = step_attempts.next_at
   returning (extract(epoch from next_at) * 1000)::float8 as next_at_ms`,
);

/** A failed attempt to record. */
export interface NewAttempt {
  readonly runId: RunId;
  readonly epoch: number;
  readonly name: string;
  readonly occurrence: number;
  readonly attempt: number;
  readonly error: string;
  readonly delayMs: number;
}

/** Records a failed attempt; finds nothing when the run is no longer owned. Safe to repeat. */
export async function recordAttempt(db: Queryable, a: NewAttempt): Promise<number | undefined> {
  const rows = await db.query(insertAttempt, [a.runId, a.epoch, a.name, a.occurrence, a.attempt, a.error, a.delayMs]);
  const row = rows[0];
  return row === undefined ? undefined : readNumber(row, 'next_at_ms');
}

function parseStep(row: Row): StepRecord {
  return {
    seq: readNumber(row, 'seq'),
    name: readText(row, 'name'),
    occurrence: readNumber(row, 'occurrence'),
    kind: readText(row, 'kind'),
    output: findText(row, 'output'),
    error: findText(row, 'error'),
    childId: findText(row, 'child_id'),
    startedAtMs: readNumber(row, 'started_at_ms'),
    finishedAtMs: readNumber(row, 'finished_at_ms'),
  };
}

function parseAttempt(row: Row): AttemptRecord {
  return {
    name: readText(row, 'name'),
    occurrence: readNumber(row, 'occurrence'),
    attempt: readNumber(row, 'attempt'),
    error: readText(row, 'error'),
    failedAtMs: readNumber(row, 'started_at_ms'),
    nextAtMs: readNumber(row, 'finished_at_ms'),
  };
}

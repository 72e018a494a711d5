// The journal's one statement: starts, checkpoints and outcomes of many runs, committed together.
// Called by the journal only. Everything that an executor must be fenced from goes through here.

import type { ExecutorId, RunId } from '../values/ids.js';
import type { RunStatus } from '../values/status.js';
import { int4Array, int8Array, textArray, timestampArray } from './binary-arrays.js';
import { isEmpty, publicationColumns, publicationParts, type Publications } from './publications.js';
import { idempotencyColumns, type IdempotencyKey } from './idempotency-keys.js';
import { placeColumns, startedInQueuesPart, type QueuePlace } from './queue-starts.js';
import { onlyRow, readBoolean, readNumber, readTexts, statement, type Queryable } from './sql.js';
import { unwokenPart } from './waiters.js';

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

// owner: the executor's row, locked for key share. Heartbeats do not conflict with it; declaring it dead takes it for
//   update, so a batch is either wholly before the takeover or writes nothing.
// started: `on conflict` makes a second start of an id a no-op. A child is inserted only while its parent is owned as
//   the writer believes, and the parent's row is locked for share: a cancellation of the parent is either seen here, or
//   comes after this commit and finds the child (`cancelMany`).
// Epoch and executor together name a claim: a start whose id turns out to be taken has epoch 1, as the run that has the id.
// recorded: joins its run on the claim without locking it (locking every run costs 40 to 55 %, measured), and has no
//   `on conflict` (5 to 15 %): a taken (run_id, seq) fails the batch, and the journal then asks row by row.
// finished: one index lookup per outcome.
// `status || ''` is no oddity: a plain `status = 'running'` lets the pinned planner join through the partial index runs_owned
//   instead of the primary key, and a million finished runs then halve the rate (measured: docs/decisions/0001-keys.md).
// `c.run_id || '' = c.run_id`, true for every row, keeps another plan away: while the tables are small, scanning all runs looks
//   as cheap as looking up those of a batch, and the prepared plan stays when they have grown. The planner takes the
//   condition for a rare one, expects one row, and looks runs up by their key whatever their number. So in all statements
//   that join rows to `unnest`.
// woken: parked runs that await a finished one. The array is read from the row that was just locked and updated, so a
//   waiter that registered meanwhile is seen; `running` waiters are marked too, and find the mark when they park. Runs
//   that this very statement finishes are left out: Postgres applies only one of two updates of a row.
const ownerPart = `owner as materialized (
     select 1 from {schema}.executors where id = $1::uuid and dead_at is null for key share
   )`;

const startedPart = `started as (
     insert into {schema}.runs (id, workflow, version, status, executor, epoch, due_at, input, output, error, timeout_ms,
                                deadline_at, parent_id, attributes, created_at, started_at, finished_at)
     select s.id, s.workflow, s.version, s.status, case when s.owned = 1 then $1::uuid end, s.owned, s.due_at, s.input,
            s.output, s.error, s.timeout_ms, s.deadline_at, s.parent_id, s.attributes::jsonb, s.created_at,
            case when s.owned = 1 then s.created_at end, s.finished_at
     from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::int4[], $7::timestamptz[], $8::text[], $9::text[],
                 $10::text[], $11::int8[], $12::timestamptz[], $13::text[], $14::int4[], $15::text[], $16::timestamptz[],
                 $17::timestamptz[])
       s (id, workflow, version, status, owned, due_at, input, output, error, timeout_ms, deadline_at, parent_id,
          parent_epoch, attributes, created_at, finished_at)
     where exists (select from owner)
       and (s.parent_id is null or exists (
         select from {schema}.runs p
         where p.id = s.parent_id and p.epoch = s.parent_epoch and p.status || '' = 'running'
         for share))
     on conflict (id) do nothing
     returning id
   )`;

const endParts = `recorded as (
     insert into {schema}.steps (run_id, seq, name, occurrence, kind, epoch, output, error, child_id, started_at, finished_at)
     select c.run_id, c.seq, c.name, c.occurrence, c.kind, c.epoch, c.output, c.error, c.child_id, c.started_at, c.finished_at
     from unnest($18::text[], $19::int4[], $20::int4[], $21::text[], $22::int4[], $23::text[], $24::text[], $25::text[],
                 $26::text[], $27::timestamptz[], $28::timestamptz[])
       c (run_id, epoch, seq, name, occurrence, kind, output, error, child_id, started_at, finished_at)
     join {schema}.runs r on r.id = c.run_id and r.epoch = c.epoch and r.executor = $1::uuid and r.status || '' = 'running'
     where c.run_id || '' = c.run_id and exists (select from owner)
     returning 1
   ), finished as (
     update {schema}.runs r
     set status = o.status, output = o.output, error = o.error, due_at = null,
         finished_at = case when o.status <> 'paused' then now() end
     from unnest($29::text[], $30::int4[], $31::text[], $32::text[], $33::text[]) o (id, epoch, status, output, error)
     where r.id = o.id and r.epoch = o.epoch and r.executor = $1::uuid and r.status || '' = 'running'
       and o.id || '' = o.id and exists (select from owner)
     returning r.id, r.awaited_by, r.is_watched
   )`;

const wokenPart = (awaited: string): string => `woken as (
     update {schema}.runs r
     set due_at = now()
     from (select distinct unnest(a.awaited_by) as id from ${awaited} a where a.awaited_by is not null) w
     where r.id = w.id and w.id || '' = w.id and r.status || '' in ('running', 'waiting') and r.id <> all ($29::text[])
     returning r.id
   ), ${unwokenPart(awaited, '$29::text[]')}`;

const answer = `select exists (select from owner) as is_owner,
          case when (select count(*) from started) < cardinality($2::text[])
               then (select coalesce(array_agg(id), '{}') from started) end as started_ids,
          (select count(*) from recorded)::int4 as recorded,
          (select count(*) from finished)::int4 as finished,
          (select array_agg(id) from finished where is_watched) as watched_ids,
          (select count(*) from woken)::int4 as woken,
          (select count(*) from unwoken)::int4 as unwoken`;

// Four shapes of one statement, so that batches pay only for what they have.
const allAwaited = '(select id, awaited_by from finished union all select id, awaited_by from announced)';
const endAndPublish = `${endParts}, ${publicationParts}, ${wokenPart(allAwaited)} ${answer}`;
const end = `${endParts}, ${wokenPart('finished')} ${answer}`;
const writeBatch = statement('write_batch', `with ${ownerPart}, ${startedPart}, ${end}`);
const writeAndPublish = statement('write_and_publish', `with ${ownerPart}, ${startedPart}, ${endAndPublish}`);
const writeAndQueue = statement(
  'write_and_queue',
  `with ${ownerPart}, ${startedInQueuesPart(34)}, ${end}, (select array_agg(id) from started where is_queued) as queued_ids`,
);
const writeAll = statement(
  'write_all',
  `with ${ownerPart}, ${startedInQueuesPart(53)}, ${endAndPublish}, (select array_agg(id) from started where is_queued) as queued_ids`,
);

/** Commits a batch. One round trip; safe to repeat only after asking what was written (`findWritten`). */
export async function commitBatch(db: Queryable, executor: ExecutorId, rows: BatchRows): Promise<BatchResult> {
  const values: (string | Buffer)[] = [
    executor,
    ...startColumns(rows.starts),
    ...checkpointColumns(rows.checkpoints),
    ...outcomeColumns(rows.outcomes),
  ];
  const publishes = !isEmpty(rows.publications);
  const queues = rows.starts.some(({ place, idempotency }) => place !== undefined || idempotency !== undefined);
  if (publishes) values.push(...publicationColumns(rows.publications));
  if (queues) values.push(...placeColumns(rows.starts), ...idempotencyColumns(rows.starts));
  const [plain, queueing] = publishes ? [writeAndPublish, writeAll] : [writeBatch, writeAndQueue];
  const row = onlyRow(await db.query(queues ? queueing : plain, values));
  return {
    isOwner: readBoolean(row, 'is_owner'),
    startedIds: row['started_ids'] === null ? undefined : readTexts(row, 'started_ids'),
    queuedIds: readTexts(row, 'queued_ids'),
    recorded: readNumber(row, 'recorded'),
    finished: readNumber(row, 'finished'),
    watchedIds: readTexts(row, 'watched_ids'),
    woken: readNumber(row, 'woken'),
    unwoken: readNumber(row, 'unwoken'),
  };
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

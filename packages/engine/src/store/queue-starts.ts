// Runs that are started in a queue: their part of the journal's statement, many at once from outside of runs, and the run
// that holds a dedup key.

import type { RunId } from '../values/ids.js';
import { int4Array, int8Array, textArray } from './binary-arrays.js';
import { findTexts, readText, readTexts, onlyRow, statement, unnest, type Queryable } from './sql.js';

/** Where a run stands in a queue. */
export interface QueuePlace {
  readonly queue: string;
  /** Empty for none. */
  readonly partitionKey: string;
  /** Lower first. */
  readonly priority: number;
  readonly dedupKey: string | undefined;
}

// As `started` in batch-statements.ts. What is to run at once does so only if its queue has no limits and is not paused at this
// moment, whatever its process remembers; otherwise it gets in line. Its deadline then counts from its claim.
// `on conflict` without a target: a taken dedup or idempotency key is as good a reason not to insert as a taken id.
// Rows are inserted, and numbered, in the order of the arrays.
/** The common table expression `started`; `columns` are those of starts, then those of `placeColumns` and `idempotencyColumns`. */
export const startedInQueuesPart = (columns: readonly string[]): string => `started as (
     insert into {schema}.runs (id, workflow, version, status, executor, epoch, due_at, input, output, error, timeout_ms,
                                deadline_at, parent_id, attributes, created_at, started_at, finished_at,
                                queue, partition_key, priority, queue_position, dedup_key, slot,
                                idempotency_key, fingerprint)
     select s.id, s.workflow, s.version, case when s.owned > mine.owned then 'queued' else s.status end,
            case when mine.owned = 1 then $1::uuid end, mine.owned,
            case when mine.owned = 0 then case when s.due_at > s.created_at then s.due_at else now() end end,
            s.input, s.output, s.error, s.timeout_ms,
            case when s.owned = mine.owned or s.timeout_ms is null then s.deadline_at end,
            s.parent_id, s.attributes::jsonb, s.created_at, case when mine.owned = 1 then s.created_at end, s.finished_at,
            s.queue, s.partition_key, s.priority, case when s.queue is not null then nextval('{schema}.queue_positions') end,
            s.dedup_key,
            case when s.queue is null then null when mine.owned = 1 then 'held' when s.due_at is null then 'ready' else 'needed' end,
            s.idempotency_key, s.fingerprint
     from ${unnest(columns)}
       s (id, workflow, version, status, owned, due_at, input, output, error, timeout_ms, deadline_at, parent_id,
          parent_epoch, attributes, created_at, finished_at, queue, partition_key, priority, dedup_key,
          idempotency_key, fingerprint)
     cross join lateral (
       select case when s.queue is null or s.finished_at is not null or exists (
                select from {schema}.queues q where q.name = s.queue and not q.is_limited and not q.is_paused)
              then s.owned else 0 end as owned
     ) mine
     where exists (select from owner)
       and (s.parent_id is null or exists (
         select from {schema}.runs p
         where p.id = s.parent_id and p.epoch = s.parent_epoch and p.status || '' = 'running'
         for share))
     on conflict do nothing
     returning id, status = 'queued' as is_queued
   )`;

/** The types of the columns of places and idempotency keys. */
export const placeTypes = 'text text int4 text text text';

/** The columns of places: queue, key, priority, dedup key. */
export function placeColumns(rows: readonly { readonly place: QueuePlace | undefined }[]): readonly Buffer[] {
  return [
    textArray(rows.map(({ place }) => place?.queue)),
    textArray(rows.map(({ place }) => place?.partitionKey)),
    int4Array(rows.map(({ place }) => place?.priority ?? 0)),
    textArray(rows.map(({ place }) => place?.dedupKey)),
  ];
}

/** A run to insert from outside, to be claimed. */
export interface QueuedStart {
  readonly id: RunId;
  readonly workflow: string;
  readonly version: string;
  readonly input: string;
  readonly delayMs: number | undefined;
  readonly timeoutMs: number | undefined;
  /** JSON object. */
  readonly attributes: string | undefined;
  readonly place: QueuePlace | undefined;
}

// The time of the statement, not of its transaction: that may be one of the caller's, open for a while.
/** Inserts runs that nobody owns yet, from rows `s`. With `unlessThere` after it, it is safe to repeat. */
export const insertQueuedPart = (
  source: string,
  position = "nextval('{schema}.queue_positions')",
  createdAt = "date_trunc('milliseconds', statement_timestamp())",
): string => `insert into {schema}.runs (
       id, workflow, version, status, due_at, input, timeout_ms, attributes, created_at,
       queue, partition_key, priority, queue_position, dedup_key, slot)
     select s.id, s.workflow, s.version, 'queued', statement_timestamp() + coalesce(s.delay_ms, 0) * interval '1 millisecond',
            s.input, s.timeout_ms, s.attributes::jsonb, ${createdAt},
            s.queue, case when s.queue is not null then coalesce(s.partition_key, '') end,
            case when s.queue is not null then coalesce(s.priority, 0) end,
            case when s.queue is not null then ${position} end, s.dedup_key,
            case when s.queue is null then null when s.delay_ms is null then 'ready' else 'needed' end
     from ${source}`;

/** Leaves what is there as it is, and returns what was not. */
export const unlessThere = 'on conflict do nothing returning id';

/** Runs that one statement may insert: the positions between two numbers of the sequence. */
export const bulkSize = 1_000;

// One number of the sequence is the position of the first; the others count on from there. Arrays that are unnested in a list of
// columns are not materialized as those after `from` are, and one that ends before the others goes on with nulls.
const insertBulkPart = insertQueuedPart(
  `(select unnest($1::text[]) as id, $2::text as workflow, $3::text as version, unnest($4::text[]) as input,
                  unnest($5::int8[]) as delay_ms, unnest($6::int8[]) as timeout_ms, unnest($7::text[]) as attributes,
                  unnest($8::text[]) as queue, unnest($9::text[]) as partition_key, unnest($10::int4[]) as priority,
                  unnest($11::text[]) as dedup_key, generate_series(0, cardinality($1::text[]) - 1) as place) s`,
  `(select coalesce($12::int8, nextval('{schema}.queue_positions'))) + s.place`,
  '$13::timestamptz',
);

// Looking for conflicts is a quarter of the database's work on a bulk (measured).
const insertNew = statement('insert_new_runs', insertBulkPart);

const insertMissing = statement(
  'insert_runs',
  `with started as (
     ${insertBulkPart}
     ${unlessThere}
   )
   select case when (select count(*) from started) < cardinality($1::text[])
               then (select coalesce(array_agg(id), '{}') from started) end as started_ids`,
);

/** Runs of one workflow that one statement inserts. */
export interface Bulk {
  readonly workflow: string;
  readonly version: string;
  /** Up to `bulkSize`, in the order of their places in queues. */
  readonly rows: readonly QueuedStart[];
  /** Of the first: one that `takePositions` has given, or undefined for the next one. */
  readonly position: string | undefined;
  /** Tells a run that is there from another start of its id, after an answer that was lost. */
  readonly createdAtMs: number;
}

/** Inserts those that are not there; returns the ids that were inserted, or undefined when all were. */
export async function insertRuns(db: Queryable, bulk: Bulk): Promise<ReadonlySet<string> | undefined> {
  const startedIds = findTexts(onlyRow(await db.query(insertMissing, toValues(bulk))), 'started_ids');
  return startedIds === undefined ? undefined : new Set(startedIds);
}

/** Inserts them all, or fails: for runs of which none can be there. */
export async function insertNewRuns(db: Queryable, bulk: Bulk): Promise<undefined> {
  await db.query(insertNew, toValues(bulk));
}

function toValues({ workflow, version, rows, position, createdAtMs }: Bulk): readonly unknown[] {
  return [
    textArray(rows.map((r) => r.id)),
    workflow,
    version,
    textArray(rows.map((r) => r.input)),
    int8Array(column(rows, (r) => r.delayMs, undefined)),
    int8Array(column(rows, (r) => r.timeoutMs, undefined)),
    textArray(column(rows, (r) => r.attributes, undefined)),
    textArray(column(rows, (r) => r.place?.queue, undefined)),
    textArray(column(rows, (r) => r.place?.partitionKey ?? '', '')),
    int4Array(column(rows, (r) => r.place?.priority ?? 0, 0)),
    textArray(column(rows, (r) => r.place?.dedupKey, undefined)),
    position ?? null,
    new Date(createdAtMs),
  ];
}

// Empty if all rows have what stands for nothing.
function column<T>(rows: readonly QueuedStart[], read: (row: QueuedStart) => T, nothing: T): readonly T[] {
  const values = rows.map(read);
  return values.every((value) => value === nothing) ? [] : values;
}

const nextPositions = statement(
  'next_positions',
  `select array_agg(nextval('{schema}.queue_positions')::text) as positions from generate_series(1, $1::int4)`,
);

/** Positions in queues for so many bulks, in ascending order. */
export async function takePositions(db: Queryable, bulks: number): Promise<readonly string[]> {
  return readTexts(onlyRow(await db.query(nextPositions, [bulks])), 'positions');
}

// Index: runs_dedup.
const selectHolder = statement(
  'dedup_holder',
  `select id, workflow
   from {schema}.runs
   where queue = $1::text and dedup_key = $2::text and status in ('queued', 'running', 'waiting', 'paused')`,
);

/** The unfinished run of a queue with a dedup key. */
export async function findDedupHolder(
  db: Queryable,
  queue: string,
  dedupKey: string,
): Promise<{ readonly id: RunId; readonly workflow: string } | undefined> {
  const [row] = await db.query(selectHolder, [queue, dedupKey]);
  return row === undefined ? undefined : { id: readText(row, 'id') as RunId, workflow: readText(row, 'workflow') };
}

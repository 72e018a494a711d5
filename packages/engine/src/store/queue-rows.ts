// The rows of queues: declaring, reading, changing and deleting them.

import { findNumber, readBoolean, readNumber, readText, statement, type Queryable, type Row } from './sql.js';

/** The limits of a queue. */
export interface QueueLimits {
  /** Runs under way at once over all processes. */
  readonly concurrency: number | undefined;
  /** Runs in the memory of one executor. */
  readonly executorConcurrency: number | undefined;
  /** Runs of one partition key under way at once. */
  readonly keyConcurrency: number | undefined;
  readonly rateLimit: number | undefined;
  readonly ratePerMs: number | undefined;
  readonly isRatePerKey: boolean;
  readonly releasesWhileWaiting: boolean;
}

/** A queue as it stands. */
export interface QueueRow extends QueueLimits {
  readonly name: string;
  readonly isPaused: boolean;
  /** Claims must count its runs. */
  readonly isLimited: boolean;
}

// One column per parameter, in the order of limitColumns. Changing a queue counts as a claim: a claim under way sees that what it
// counted with is out of date.
// A declaration that is the one applied last changes nothing, so that changes made at run time survive restarts.
const declare = statement(
  'declare_queue',
  `insert into {schema}.queues (name, declared, concurrency, executor_concurrency, key_concurrency, rate_limit, rate_per_ms,
                                is_rate_per_key, releases_while_waiting)
   values ($1::text, $2::text, $3::int4, $4::int4, $5::int4, $6::int4, $7::int8, $8::boolean, $9::boolean)
   on conflict (name) do update
   set declared = $2::text, concurrency = $3::int4, executor_concurrency = $4::int4, key_concurrency = $5::int4,
       rate_limit = $6::int4, rate_per_ms = $7::int8, is_rate_per_key = $8::boolean, releases_while_waiting = $9::boolean,
       claims = queues.claims + 1, updated_at = now()
   where queues.declared is distinct from $2::text
   returning 1`,
);

/** Applies a declaration in code; returns whether it was another than the last one. Safe to repeat. */
export async function declareQueue(db: Queryable, name: string, limits: QueueLimits): Promise<boolean> {
  return (await db.query(declare, [name, JSON.stringify(limits), ...limitColumns(limits)])).length > 0;
}

const columns = `name, concurrency, executor_concurrency, key_concurrency, rate_limit, rate_per_ms::float8 as rate_per_ms,
          is_rate_per_key, releases_while_waiting, is_paused, is_limited`;

const selectAll = statement('select_queues', `select ${columns} from {schema}.queues order by name`);

/** All queues, by name. */
export async function selectQueues(db: Queryable): Promise<readonly QueueRow[]> {
  return (await db.query(selectAll, [])).map(parseQueue);
}

const change = statement(
  'change_queue',
  `update {schema}.queues
   set concurrency = $2::int4, executor_concurrency = $3::int4, key_concurrency = $4::int4, rate_limit = $5::int4,
       rate_per_ms = $6::int8, is_rate_per_key = $7::boolean, releases_while_waiting = $8::boolean,
       claims = claims + 1, updated_at = now()
   where name = $1::text
   returning 1`,
);

/** Changes the limits of a queue; returns whether there is one. Safe to repeat. */
export async function changeQueue(db: Queryable, name: string, limits: QueueLimits): Promise<boolean> {
  return (await db.query(change, [name, ...limitColumns(limits)])).length > 0;
}

const pause = statement(
  'pause_queue',
  `update {schema}.queues
   set is_paused = $2::boolean, claims = claims + 1, updated_at = case when is_paused = $2::boolean then updated_at else now() end
   where name = $1::text
   returning 1`,
);

/** Stops or resumes admission; returns whether there is such a queue. Safe to repeat. */
export async function setQueuePaused(db: Queryable, name: string, isPaused: boolean): Promise<boolean> {
  return (await db.query(pause, [name, isPaused])).length > 0;
}

// Indexes: runs_held, runs_ready. Those that are delayed are found by their place in no index of queues, and so last.
const remove = statement(
  'delete_queue',
  `with unfinished as (
     select count(*)::int4 as runs from (
       select 1 from {schema}.runs where queue = $1::text and status in ('queued', 'running', 'waiting', 'paused') limit 1000
     ) r
   ), deleted as (
     delete from {schema}.queues q using unfinished u where q.name = $1::text and u.runs = 0
     returning q.name
   ), forgotten as (
     delete from {schema}.queue_admissions a using deleted d where a.queue = d.name
     returning 1
   )
   select u.runs, exists (select from deleted) as is_deleted from unfinished u`,
);

/** Deletes a queue without unfinished runs. */
export async function deleteQueue(
  db: Queryable,
  name: string,
): Promise<{ readonly isDeleted: boolean; readonly runs: number }> {
  const [row] = await db.query(remove, [name]);
  return row === undefined
    ? { isDeleted: false, runs: 0 }
    : { isDeleted: readBoolean(row, 'is_deleted'), runs: readNumber(row, 'runs') };
}

function limitColumns(limits: QueueLimits): readonly unknown[] {
  return [
    limits.concurrency ?? null,
    limits.executorConcurrency ?? null,
    limits.keyConcurrency ?? null,
    limits.rateLimit ?? null,
    limits.ratePerMs ?? null,
    limits.isRatePerKey,
    limits.releasesWhileWaiting,
  ];
}

/** Reads the columns of a queue. */
export function parseQueue(row: Row): QueueRow {
  return {
    name: readText(row, 'name'),
    concurrency: findNumber(row, 'concurrency'),
    executorConcurrency: findNumber(row, 'executor_concurrency'),
    keyConcurrency: findNumber(row, 'key_concurrency'),
    rateLimit: findNumber(row, 'rate_limit'),
    ratePerMs: findNumber(row, 'rate_per_ms'),
    isRatePerKey: readBoolean(row, 'is_rate_per_key'),
    releasesWhileWaiting: readBoolean(row, 'releases_while_waiting'),
    isPaused: readBoolean(row, 'is_paused'),
    isLimited: readBoolean(row, 'is_limited'),
  };
}

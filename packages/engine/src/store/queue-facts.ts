// What people ask about queues: how many runs stand where, why one of them waits, and moving it. Off the hot paths.

import type { RunId } from '../values/ids.js';
import { findStatus, type RunStatus } from '../values/status.js';
import { parseQueue, type QueueRow } from './queue-rows.js';
import { findNumber, findText, readBoolean, readNumber, readText, statement, type Queryable } from './sql.js';

/** A queue with the numbers of its unfinished runs. */
export interface QueueCounts {
  readonly queue: QueueRow;
  readonly ready: number;
  readonly delayed: number;
  readonly running: number;
  readonly waiting: number;
}

// Indexes: runs_ready and runs_held per queue, runs_delayed as a whole.
const selectCounts = statement(
  'queue_counts',
  `with delayed as (
     select r.queue, count(*)::int4 as runs
     from {schema}.runs r
     where r.status in ('queued', 'waiting') and r.slot = 'needed'
     group by r.queue
   )
   select q.name, q.concurrency, q.executor_concurrency, q.key_concurrency, q.rate_limit,
          q.rate_per_ms::float8 as rate_per_ms, q.is_rate_per_key, q.releases_while_waiting, q.is_paused, q.is_limited,
          (select count(*)::int4 from {schema}.runs r
           where r.queue = q.name and r.status in ('queued', 'waiting') and r.slot = 'ready') as ready,
          coalesce(d.runs, 0) as delayed, held.running, held.waiting
   from {schema}.queues q
   left join delayed d on d.queue = q.name
   cross join lateral (
     select (count(*) filter (where r.status = 'running'))::int4 as running,
            (count(*) filter (where r.status = 'waiting'))::int4 as waiting
     from {schema}.runs r
     where r.queue = q.name and r.status in ('running', 'waiting') and r.slot = 'held'
   ) held
   where $1::text is null or q.name = $1::text
   order by q.name`,
);

/** The queue of this name, or all of them. */
export async function countQueues(db: Queryable, name: string | undefined): Promise<readonly QueueCounts[]> {
  return (await db.query(selectCounts, [name ?? null])).map((row) => ({
    queue: parseQueue(row),
    ready: readNumber(row, 'ready'),
    delayed: readNumber(row, 'delayed'),
    running: readNumber(row, 'running'),
    waiting: readNumber(row, 'waiting'),
  }));
}

/** What decides whether a run may start. */
export interface WaitFacts {
  readonly status: RunStatus;
  readonly slot: string | undefined;
  readonly queue: string | undefined;
  readonly partitionKey: string;
  readonly priority: number;
  readonly dueInMs: number | undefined;
  /** Undefined: there is no such queue any more. */
  readonly isPaused: boolean | undefined;
  readonly concurrency: number | undefined;
  readonly underWay: number;
  readonly keyConcurrency: number | undefined;
  readonly underWayOfKey: number;
  readonly rateLimit: number | undefined;
  readonly startedInWindow: number;
  readonly windowEndsInMs: number | undefined;
  /** Runs of its key before it, counted up to 10,000. */
  readonly ahead: number;
  /** Live executors that host its workflow and serve its queue. */
  readonly executors: number;
}

// Indexes: primary keys, runs_held, runs_ready, queue_admissions_window.
const selectFacts = statement(
  'queue_wait_facts',
  `select r.status, r.slot, r.queue, coalesce(r.partition_key, '') as partition_key, coalesce(r.priority, 0) as priority,
          (extract(epoch from (r.due_at - now())) * 1000)::float8 as due_in_ms,
          q.is_paused, q.concurrency, q.key_concurrency, q.rate_limit,
          (select count(*)::int4 from {schema}.runs h
           where h.queue = r.queue and h.status in ('running', 'waiting') and h.slot = 'held') as under_way,
          (select count(*)::int4 from {schema}.runs h
           where h.queue = r.queue and h.partition_key = r.partition_key and h.status in ('running', 'waiting')
             and h.slot = 'held') as under_way_of_key,
          coalesce(admitted.runs, 0) as started_in_window,
          (extract(epoch from (admitted.first_at + q.rate_per_ms * interval '1 millisecond' - now())) * 1000)::float8
            as window_ends_in_ms,
          (select count(*)::int4 from (
             select 1 from {schema}.runs a
             where r.slot = 'ready' and a.queue = r.queue and a.partition_key = r.partition_key
               and a.status in ('queued', 'waiting') and a.slot = 'ready'
               and (a.priority, a.queue_position) < (r.priority, r.queue_position)
             limit 10000) a) as ahead,
          (select count(*)::int4 from {schema}.executors e
           where e.dead_at is null
             and case when r.version = '' then r.workflow else r.workflow || '@' || r.version end = any (e.workflows)
             and (r.queue is null or e.queues is null or r.queue = any (e.queues))) as executors
   from {schema}.runs r
   left join {schema}.queues q on q.name = r.queue
   left join lateral (
     select sum(a.runs)::int4 as runs, min(a.admitted_at) as first_at
     from {schema}.queue_admissions a
     where a.queue = q.name and a.partition_key = case when q.is_rate_per_key then r.partition_key else '' end
       and a.admitted_at > now() - q.rate_per_ms * interval '1 millisecond'
   ) admitted on true
   where r.id = $1::text`,
);

/** The facts about a run, if there is one of this id. */
export async function findWaitFacts(db: Queryable, id: RunId): Promise<WaitFacts | undefined> {
  const [row] = await db.query(selectFacts, [id]);
  if (row === undefined) return undefined;
  return {
    status: findStatus(readText(row, 'status')) ?? 'paused',
    slot: findText(row, 'slot'),
    queue: findText(row, 'queue'),
    partitionKey: readText(row, 'partition_key'),
    priority: readNumber(row, 'priority'),
    dueInMs: findNumber(row, 'due_in_ms'),
    isPaused: row['is_paused'] === null ? undefined : readBoolean(row, 'is_paused'),
    concurrency: findNumber(row, 'concurrency'),
    underWay: readNumber(row, 'under_way'),
    keyConcurrency: findNumber(row, 'key_concurrency'),
    underWayOfKey: readNumber(row, 'under_way_of_key'),
    rateLimit: findNumber(row, 'rate_limit'),
    startedInWindow: readNumber(row, 'started_in_window'),
    windowEndsInMs: findNumber(row, 'window_ends_in_ms'),
    ahead: readNumber(row, 'ahead'),
    executors: readNumber(row, 'executors'),
  };
}

// Only what has not begun: afterwards neither means anything.
const move = statement(
  'move_run',
  `update {schema}.runs
   set priority = case when queue is not null then coalesce($2::int4, priority) end,
       due_at = case when $3::int8 is null then due_at else now() + $3::int8 * interval '1 millisecond' end,
       slot = case when queue is null or $3::int8 is null then slot when $3::int8 = 0 then 'ready' else 'needed' end
   where id = $1::text and status = 'queued'
   returning 1`,
);

/** Changes priority and delay of a run that is queued; returns whether it was. Safe to repeat. */
export async function moveRun(
  db: Queryable,
  id: RunId,
  { priority, delayMs }: { readonly priority: number | undefined; readonly delayMs: number | undefined },
): Promise<boolean> {
  return (await db.query(move, [id, priority ?? null, delayMs ?? null])).length > 0;
}

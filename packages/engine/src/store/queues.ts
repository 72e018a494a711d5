// Claims: which runs an executor takes. One statement serves new work, timers, wake-ups, durable retries, the runs of dead
// executors and those in line in queues; there is no second path into execution.

import type { ExecutorId, RunId } from '../values/ids.js';
import { admissionAnswer, admissionColumns, admissionParts, isPassedOver, type Standing } from './queue-admission.js';
import { textArray } from './binary-arrays.js';
import { findNumber, findText, onlyRow, readBoolean, readNumber, readText, readTexts, statement } from './sql.js';
import type { Queryable, Row } from './sql.js';

/** A run that has just been claimed. */
export interface ClaimedRun {
  readonly id: RunId;
  readonly workflow: string;
  readonly version: string;
  /** The queue whose slot it holds. */
  readonly queue: string | undefined;
  readonly epoch: number;
  readonly input: string;
  readonly startedAtMs: number;
  readonly deadlineAtMs: number | undefined;
  readonly timeoutMs: number | undefined;
  readonly acceptsNewSteps: boolean;
  /** It has run before and was parked, released or lost: not new, and not resumed by somebody. */
  readonly isContinued: boolean;
  readonly attributes: Readonly<Record<string, unknown>> | undefined;
}

// Index: runs_due, earliest first. `skip locked`: several executors claim at once and must not wait for each other.
// The executor's row is locked for key share, as in a batch: one that was declared dead claims nothing.
// started_at is cut to milliseconds because now() in workflow code is derived from it and must be the same on replay.
// What waits for a slot of its queue is not due here: those in line are chosen by queue-admission.ts. Neither kind of work can
// keep the other from going: $9 of the room are left to the queues, when there is so much in line.
// Who has its slot already, woken or recovered, still needs a place in the memory of an executor: executor_concurrency counts those.
// A run that kills whoever executes it takes along what is in memory beside it. After the second time such runs are claimed one by one: the
// innocent ones end before the next is claimed, and it is soon alone. $10: whether one of them may go now; nobody else waits for them.
// The facts, a row of their own, answer in the same round trip when the next run becomes due, so that timers fire without fast polling,
// and whether a due run was passed over because somebody held its row (a waiter that registers, a cancellation): the
// notification that it is due has been used up, so the claimer must come back by itself.
const isDue = `r.status in ('queued', 'waiting') and (r.slot is null or r.slot = 'held')`;
const claimDue = statement(
  'claim_due',
  `with recursive owner as materialized (
     select 1 from {schema}.executors where id = $1::uuid and dead_at is null for key share
   ), full_queues as materialized (
     select q.name
     from unnest($6::text[], $7::int4[]) h (name, live)
     join {schema}.queues q on q.name = h.name
     where q.executor_concurrency <= h.live
   ), found as materialized (
     select d.*, row_number() over (partition by d.queue order by d.due_at) as rank,
            count(*) filter (where d.crashes > 1) over (order by d.due_at rows unbounded preceding) as suspects
     from (
       select r.id, r.status, r.queue, r.due_at, r.crashes
       from {schema}.runs r
       where ${isDue} and r.due_at <= now() and ($10::boolean or r.crashes <= 1)
         and (r.workflow, r.version) in (select * from unnest($2::text[], $3::text[]))
         and (r.queue is null or r.queue not in (select name from full_queues))
         and exists (select from owner)
       order by r.due_at
       limit $4::int4 - least($9::int4, (select count(*) from candidates c where c.is_free))
       for update of r skip locked
     ) d
   ), due as materialized (
     select d.id, d.status, d.queue, q.executor_concurrency is not null as is_limited
     from found d
     left join {schema}.queues q on q.name = d.queue and q.name || '' = q.name
     left join unnest($6::text[], $7::int4[]) h (name, live) on h.name = q.name
     where (q.executor_concurrency is null or d.rank <= q.executor_concurrency - coalesce(h.live, 0))
       and (d.crashes <= 1 or d.suspects = 1)
   ), ${admissionParts}, taken as materialized (
     select id, status from due
     union all
     select id, status from chosen
   ), claimed as (
     update {schema}.runs r
     set status = 'running', executor = $1::uuid, epoch = r.epoch + 1, due_at = null,
         slot = case when r.queue is not null then 'held' end,
         started_at = coalesce(r.started_at, date_trunc('milliseconds', now())),
         deadline_at = least(r.deadline_at, now() + r.timeout_ms * interval '1 millisecond')
     from taken t
     where r.id = t.id and t.id || '' = t.id
     returning r.id, r.workflow, r.version, r.queue, r.epoch, r.input, r.timeout_ms::float8 as timeout_ms, r.attributes,
               r.accepts_new_steps, t.status = 'waiting' as is_continued,
               (extract(epoch from r.started_at) * 1000)::float8 as started_at_ms,
               (extract(epoch from r.deadline_at) * 1000)::float8 as deadline_at_ms
   ), next as (
     select least((select min(r.due_at) from {schema}.runs r where ${isDue} and r.due_at > now()),
                  (select min(r.due_at) from {schema}.runs r
                   where r.status in ('queued', 'waiting') and r.slot = 'needed' and r.due_at > now())) as due_at
   ), facts as materialized (
     select (extract(epoch from (next.due_at - now())) * 1000)::float8 as next_due_in_ms,
            ${admissionAnswer},
            exists (select from found f where f.suspects > 1) as has_suspects,
            ${isPassedOver} or (select count(*) from taken) < $4::int4 and exists (
              select from {schema}.runs r
              where ${isDue} and r.due_at <= now()
                and (r.workflow, r.version) in (select * from unnest($2::text[], $3::text[]))
                and r.id not in (select id from due) and exists (select from owner)
            ) as has_passed_over
     from next
   )
   select claimed.*, facts.*
   from claimed full join facts on false`,
);

/** What a claim took. */
export interface Claim {
  readonly runs: readonly ClaimedRun[];
  /** Milliseconds until the next run becomes due, whoever may claim it; undefined when none has a time. */
  readonly nextDueInMs: number | undefined;
  /** A due run could not be taken because its row was locked. */
  readonly hasPassedOver: boolean;
  /** Runs were left behind that are claimed one by one. */
  readonly hasSuspects: boolean;
  readonly queues: QueueClaim;
}

/** What a claim saw of the queues. */
export interface QueueClaim {
  /** The key that was served last in each queue that it looked into. */
  readonly cursors: ReadonlyMap<string, string>;
  /** Somebody waits, or has just been taken, where there are limits: when a run ends, another one may go. */
  readonly hasLimits: boolean;
  /** There is room for more than was taken. */
  readonly hasMore: boolean;
  /** Somebody else was counting in a queue. */
  readonly isContended: boolean;
  /** Milliseconds until a rate limit lets another one go. */
  readonly nextAdmissionInMs: number | undefined;
}

/** A workflow that an executor hosts. */
export interface Hosted {
  readonly workflow: string;
  readonly version: string;
}

/** Who claims, and what. */
export interface Claimant {
  readonly executor: ExecutorId;
  readonly hosted: readonly Hosted[];
  readonly limit: number;
  readonly standing: Standing;
  /** Whether one may be among them that its owners may have died of. */
  readonly withSuspect: boolean;
}

/** Claims up to `limit` runs of the hosted workflows: due ones, and those that their queues admit. */
export async function claimRuns(db: Queryable, claimant: Claimant): Promise<Claim> {
  const { executor, hosted, limit, standing, withSuspect } = claimant;
  const workflows = hosted.map((h) => h.workflow);
  const versions = hosted.map((h) => h.version);
  const columns = [...admissionColumns(standing), withSuspect];
  const rows = await db.query(claimDue, [executor, workflows, versions, limit, ...columns]);
  const row = onlyRow(rows.filter(({ id }) => id === null));
  const cursors = readTexts(row, 'queue_cursors');
  return {
    runs: rows.filter(({ id }) => id !== null).map(parseClaimedRun),
    nextDueInMs: findNumber(row, 'next_due_in_ms'),
    hasPassedOver: readBoolean(row, 'has_passed_over'),
    hasSuspects: readBoolean(row, 'has_suspects'),
    queues: {
      cursors: new Map(readTexts(row, 'queue_names').map((name, at) => [name, cursors[at] ?? ''])),
      hasLimits: readBoolean(row, 'has_limits'),
      hasMore: readBoolean(row, 'has_more'),
      isContended: readBoolean(row, 'is_contended'),
      nextAdmissionInMs: findNumber(row, 'next_admission_in_ms'),
    },
  };
}

// Index: runs_owned. After a claim whose answer was lost: what this executor owns and does not have in memory. Runs that
// began since the memory was looked at are left alone: they may have been started here.
const releaseUnknownRuns = statement(
  'release_unknown',
  `update {schema}.runs
   set status = 'waiting', executor = null, due_at = now()
   where executor = $1::uuid and status = 'running' and id <> all ($2::text[]) and started_at < $3::timestamptz
   returning 1`,
);

/** What an executor has in memory, and when that was looked at, of the database's time. */
export interface KnownRuns {
  readonly ids: readonly RunId[];
  readonly atMs: number;
}

/** Gives back what this executor owns except what it knows; returns how many. Safe to repeat. */
export async function releaseUnknown(db: Queryable, executor: ExecutorId, known: KnownRuns): Promise<number> {
  return (await db.query(releaseUnknownRuns, [executor, textArray(known.ids), new Date(known.atMs)])).length;
}

/** A row of a claim. */
export function parseClaimedRun(row: Row): ClaimedRun {
  return {
    id: readText(row, 'id') as RunId,
    workflow: readText(row, 'workflow'),
    version: readText(row, 'version'),
    queue: findText(row, 'queue'),
    epoch: readNumber(row, 'epoch'),
    input: readText(row, 'input'),
    startedAtMs: readNumber(row, 'started_at_ms'),
    deadlineAtMs: findNumber(row, 'deadline_at_ms'),
    timeoutMs: findNumber(row, 'timeout_ms'),
    acceptsNewSteps: readBoolean(row, 'accepts_new_steps'),
    isContinued: readBoolean(row, 'is_continued'),
    attributes: parseAttributes(row['attributes']),
  };
}

/** Attributes as the driver parses them from jsonb. */
export function parseAttributes(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return value as Readonly<Record<string, unknown>>;
}

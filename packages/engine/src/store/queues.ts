// Admission: which due runs an executor takes. One claim statement serves new work, timers, wake-ups, durable retries
// and the runs of dead executors; there is no second path into execution.

import type { ExecutorId, RunId } from '../values/ids.js';
import { textArray } from './binary-arrays.js';
import { findNumber, onlyRow, readBoolean, readNumber, readText, statement } from './sql.js';
import type { Queryable, Row } from './sql.js';

/** A run that has just been claimed. */
export interface ClaimedRun {
  readonly id: RunId;
  readonly workflow: string;
  readonly version: string;
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
// The outer join answers in the same round trip when the next run becomes due, so that timers fire without fast polling,
// and whether a due run was passed over because somebody held its row (a waiter that registers, a cancellation): the
// notification that it is due has been used up, so the claimer must come back by itself.
const claimDue = statement(
  'claim_due',
  `with owner as materialized (
     select 1 from {schema}.executors where id = $1::uuid and dead_at is null for key share
   ), due as (
     select r.id, r.status
     from {schema}.runs r
     where r.status in ('queued', 'waiting') and r.due_at <= now()
       and (r.workflow, r.version) in (select * from unnest($2::text[], $3::text[]))
       and exists (select from owner)
     order by r.due_at
     limit $4::int4
     for update of r skip locked
   ), claimed as (
     update {schema}.runs r
     set status = 'running', executor = $1::uuid, epoch = r.epoch + 1, due_at = null,
         started_at = coalesce(r.started_at, date_trunc('milliseconds', now())),
         deadline_at = least(r.deadline_at, now() + r.timeout_ms * interval '1 millisecond')
     from due
     where r.id = due.id and due.id || '' = due.id
     returning r.id, r.workflow, r.version, r.epoch, r.input, r.timeout_ms::float8 as timeout_ms, r.attributes,
               r.accepts_new_steps, due.status = 'waiting' as is_continued,
               (extract(epoch from r.started_at) * 1000)::float8 as started_at_ms,
               (extract(epoch from r.deadline_at) * 1000)::float8 as deadline_at_ms
   ), next as (
     select min(due_at) as due_at from {schema}.runs where status in ('queued', 'waiting') and due_at > now()
   )
   select claimed.*, (extract(epoch from (next.due_at - now())) * 1000)::float8 as next_due_in_ms,
          (select count(*) from due) < $4::int4 and exists (
            select from {schema}.runs r
            where r.status in ('queued', 'waiting') and r.due_at <= now()
              and (r.workflow, r.version) in (select * from unnest($2::text[], $3::text[]))
              and r.id not in (select id from due) and exists (select from owner)
          ) as has_passed_over
   from next left join claimed on true`,
);

/** What a claim took. */
export interface Claim {
  readonly runs: readonly ClaimedRun[];
  /** Milliseconds until the next run becomes due, whoever may claim it; undefined when none has a time. */
  readonly nextDueInMs: number | undefined;
  /** A due run could not be taken because its row was locked. */
  readonly hasPassedOver: boolean;
}

/** A workflow that an executor hosts. */
export interface Hosted {
  readonly workflow: string;
  readonly version: string;
}

/** Claims up to `limit` due runs of the hosted workflows. */
export async function claimRuns(
  db: Queryable,
  executor: ExecutorId,
  hosted: readonly Hosted[],
  limit: number,
): Promise<Claim> {
  const workflows = hosted.map((h) => h.workflow);
  const versions = hosted.map((h) => h.version);
  const rows = await db.query(claimDue, [executor, workflows, versions, limit]);
  return {
    runs: rows.filter((row) => row['id'] !== null).map(parseClaimedRun),
    nextDueInMs: findNumber(onlyRow(rows), 'next_due_in_ms'),
    hasPassedOver: readBoolean(onlyRow(rows), 'has_passed_over'),
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

function parseClaimedRun(row: Row): ClaimedRun {
  return {
    id: readText(row, 'id') as RunId,
    workflow: readText(row, 'workflow'),
    version: readText(row, 'version'),
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

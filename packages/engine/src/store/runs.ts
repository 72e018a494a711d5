// Rows of runs outside the hot path: reading them, parking and releasing them, cancelling and resuming them. Each write
// guards the state that it expects and returns the rows that it changed.

import type { ExecutorId, RunId } from '../values/ids.js';
import { transitions, type RunStatus, type Transition } from '../values/status.js';
import { int4Array, textArray, timestampArray } from './binary-arrays.js';
import { parseAttributes } from './queues.js';
import { findNumber, findText, readBoolean, readNumber, readText, statement, type Queryable, type Row } from './sql.js';
import { parseOutcome } from './waiters.js';

/** A run as it stands in the database. */
export interface RunRow {
  readonly id: RunId;
  readonly workflow: string;
  readonly version: string;
  readonly status: RunStatus;
  readonly executor: string | undefined;
  readonly epoch: number;
  readonly input: string;
  readonly output: string | undefined;
  readonly error: string | undefined;
  readonly parentId: string | undefined;
  readonly recoveries: number;
  readonly attributes: Readonly<Record<string, unknown>> | undefined;
  readonly createdAtMs: number;
  readonly startedAtMs: number | undefined;
  readonly finishedAtMs: number | undefined;
  readonly dueAtMs: number | undefined;
  readonly deadlineAtMs: number | undefined;
}

// The states that a transition may start from, as an SQL list: the table in values/status.ts is the only source.
const from = (transition: Transition): string => transitions[transition].from.map((s) => `'${s}'`).join(', ');

// Index: primary key.
const selectRuns = statement(
  'select_runs',
  `select id, workflow, version, status, executor::text as executor, epoch, input, output, error, parent_id, recoveries, attributes,
          (extract(epoch from created_at) * 1000)::float8 as created_at_ms,
          (extract(epoch from started_at) * 1000)::float8 as started_at_ms,
          (extract(epoch from finished_at) * 1000)::float8 as finished_at_ms,
          (extract(epoch from due_at) * 1000)::float8 as due_at_ms,
          (extract(epoch from deadline_at) * 1000)::float8 as deadline_at_ms
   from {schema}.runs
   where id = any ($1::text[])`,
);

/** Reads runs by id; ids that do not exist are missing from the answer. */
export async function selectRunsById(db: Queryable, ids: readonly RunId[]): Promise<readonly RunRow[]> {
  return (await db.query(selectRuns, [textArray(ids)])).map(parseRun);
}

/** A run that leaves memory until it is due or woken. */
export interface ParkRow {
  readonly id: RunId;
  readonly epoch: number;
  /** Undefined: not before a wake-up. */
  readonly dueAtMs: number | undefined;
}

// `owner`, `status || ''`: see batch.ts. A wake-up that came since the claim has set due_at on the running row: then the run is due at once.
const park = statement(
  'park_runs',
  `with owner as materialized (
     select 1 from {schema}.executors where id = $4::uuid and dead_at is null for key share
   )
   update {schema}.runs r
   set status = 'waiting', executor = null, due_at = case when r.due_at is not null then now() else p.due_at end
   from unnest($1::text[], $2::int4[], $3::timestamptz[]) p (id, epoch, due_at)
   where r.id = p.id and p.id || '' = p.id and r.epoch = p.epoch and r.executor = $4::uuid and r.status || '' = 'running'
     and exists (select from owner)
   returning r.id, r.due_at is not null and r.due_at <= now() as is_due`,
);

/** Parks runs. Rows that are missing from the answer are no longer owned. Safe to repeat. */
export async function parkRuns(
  db: Queryable,
  executor: ExecutorId,
  rows: readonly ParkRow[],
): Promise<ReadonlyMap<string, { isDue: boolean }>> {
  const answer = await db.query(park, [
    textArray(rows.map((r) => r.id)),
    int4Array(rows.map((r) => r.epoch)),
    timestampArray(rows.map((r) => r.dueAtMs)),
    executor,
  ]);
  return new Map(answer.map((row) => [readText(row, 'id'), { isDue: readBoolean(row, 'is_due') }]));
}

// One statement: the outcome, waking those who wait for it, and a note to the owner, who would otherwise go on until
// its next write is refused. Lock order: runs by id; the executor's row is taken last, and never for update here.
const cancel = statement(
  'cancel_runs',
  `with recursive tree as (
     select id from {schema}.runs where id = any ($1::text[])
     union
     select c.id from {schema}.runs c join tree t on c.parent_id = t.id where $3::boolean
   ), target as (
     select r.id, r.executor, r.status, r.epoch from {schema}.runs r
     where r.id in (select id from tree) and r.status in (${from('cancel')})
     order by r.id
     for update
   ), cancelled as (
     update {schema}.runs r
     set status = 'cancelled', epoch = r.epoch + 1, due_at = null, error = $2, finished_at = now()
     from target t
     where r.id = t.id
     returning r.id, r.awaited_by, r.is_watched, r.executor,
               case when t.status = 'running' then t.epoch || ' ' || r.id end as interruption
   ), woken as (
     update {schema}.runs r
     set due_at = now()
     from (select distinct unnest(awaited_by) as id from cancelled where awaited_by is not null) w
     where r.id = w.id and w.id || '' = w.id and r.status || '' in ('running', 'waiting') and r.id not in (select id from target)
     returning 1
   ), told as (
     update {schema}.executors e
     set interrupted_runs = e.interrupted_runs || c.ids
     from (select executor, array_agg(interruption) as ids from cancelled where interruption is not null group by executor) c
     where e.id = c.executor
     returning 1
   )
   select id, is_watched, awaited_by is not null as is_awaited, interruption from cancelled`,
);

/** What a cancellation changed. */
export interface CancelledRun {
  readonly id: RunId;
  readonly isWatched: boolean;
  /** Runs wait for it: see `wakeWaiters`. */
  readonly isAwaited: boolean;
  /** For its owner, if it was running: the epoch and the id, so that a later claim of the run is not meant. */
  readonly interruption: string | undefined;
}

/** Cancels unfinished runs, and with `children` everything that they started. Finished runs stay as they are. */
export async function cancelRuns(
  db: Queryable,
  ids: readonly RunId[],
  error: string,
  children: boolean,
): Promise<readonly CancelledRun[]> {
  return (await db.query(cancel, [textArray(ids), error, children])).map((row) => ({
    id: readText(row, 'id') as RunId,
    isWatched: readBoolean(row, 'is_watched'),
    isAwaited: readBoolean(row, 'is_awaited'),
    interruption: findText(row, 'interruption'),
  }));
}

// The history stays, so the run goes on behind its last recorded step; its outcome and crash count start anew.
const resume = statement(
  'resume_runs',
  `update {schema}.runs
   set status = 'queued', epoch = epoch + 1, executor = null, due_at = now(), finished_at = null, output = null, error = null,
       recoveries = 0, deadline_at = null, accepts_new_steps = $2::boolean
   where id = any ($1::text[]) and status in (${from('resume')})
   returning id`,
);

/** Makes paused, failed or cancelled runs claimable again; returns those that were. */
export async function resumeRuns(
  db: Queryable,
  ids: readonly RunId[],
  acceptNewSteps: boolean,
): Promise<readonly string[]> {
  return (await db.query(resume, [textArray(ids), acceptNewSteps])).map((row) => readText(row, 'id'));
}

// Rides runs_due. What no live executor hosts would wait for ever without a word.
const countStranded = statement(
  'count_stranded',
  `select r.workflow, r.version, count(*)::int4 as runs
   from (select workflow, version from {schema}.runs
         where status in ('queued', 'waiting') and due_at <= now() - interval '1 second'
         order by due_at limit 10000) r
   where not exists (
     select from {schema}.executors e
     where e.dead_at is null
       and case when r.version = '' then r.workflow else r.workflow || '@' || r.version end = any (e.workflows))
   group by r.workflow, r.version`,
);

/** Due runs whose workflow or version no live executor hosts, counted among the 10,000 that are due longest. */
export interface StrandedRuns {
  readonly workflow: string;
  readonly version: string;
  readonly runs: number;
}

export async function findStranded(db: Queryable): Promise<readonly StrandedRuns[]> {
  return (await db.query(countStranded, [])).map((row) => ({
    workflow: readText(row, 'workflow'),
    version: readText(row, 'version'),
    runs: readNumber(row, 'runs'),
  }));
}

function parseRun(row: Row): RunRow {
  return {
    ...parseOutcome(row),
    version: readText(row, 'version'),
    executor: findText(row, 'executor'),
    epoch: readNumber(row, 'epoch'),
    input: readText(row, 'input'),
    parentId: findText(row, 'parent_id'),
    recoveries: readNumber(row, 'recoveries'),
    attributes: parseAttributes(row['attributes']),
    createdAtMs: readNumber(row, 'created_at_ms'),
    startedAtMs: findNumber(row, 'started_at_ms'),
    finishedAtMs: findNumber(row, 'finished_at_ms'),
    dueAtMs: findNumber(row, 'due_at_ms'),
    deadlineAtMs: findNumber(row, 'deadline_at_ms'),
  };
}

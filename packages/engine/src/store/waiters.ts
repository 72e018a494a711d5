// Those who wait for the outcomes of runs: processes, which want to be notified, and parked runs, which want to be woken.

import type { RunId } from '../values/ids.js';
import { findStatus, type RunStatus } from '../values/status.js';
import { textArray } from './binary-arrays.js';
import { findText, readText, statement, type Queryable, type Row } from './sql.js';

/** The part of a run that its waiters need. */
export interface OutcomeOf {
  readonly id: RunId;
  readonly workflow: string;
  readonly status: RunStatus;
  readonly output: string | undefined;
  readonly error: string | undefined;
}

// Marks the unfinished ones as watched, so that whoever finishes them sends a notification, and returns all of them.
// The mark and the answer are one act: a run that finishes in between is either marked before or returned as finished.
// For that the rows are read as they are once locked: a plain select shows them as they were when the statement began.
const watch = statement(
  'watch_runs',
  `with unfinished as materialized (
     select id from {schema}.runs where id = any ($1::text[]) and finished_at is null
   ), held as materialized (
     select r.id, r.workflow, r.status, r.output, r.error, r.finished_at
     from unfinished u
     join {schema}.runs r on r.id = u.id
     order by r.id
     for no key update of r
   ), marked as (
     update {schema}.runs r
     set is_watched = true
     from held h
     where r.id = h.id and h.finished_at is null and not r.is_watched
     returning 1
   )
   select id, workflow, status, output, error from held
   union all
   select id, workflow, status, output, error from {schema}.runs
   where id = any ($1::text[]) and finished_at is not null and id not in (select id from held)`,
);

/** The state of runs that this process waits for; asks to be notified of those that have no outcome yet. */
export async function watchRuns(db: Queryable, ids: readonly RunId[]): Promise<readonly OutcomeOf[]> {
  return (await db.query(watch, [textArray(ids)])).map(parseOutcome);
}

// Those that have ended are looked for when the number of entries is a multiple of this.
const pruneEvery = 32;

// A waiter that is to be parked registers first, so that a run that finishes from now on marks it as due; what
// has finished already is missing from the answer. Several waiters of one run arrive aggregated, because an update
// applies one change per row. `distinct` keeps a waiter that wakes and parks often from filling the array.
// ended: a run that lives long would collect whoever has ever waited for it, so now and then those that have ended are taken out. They
// are locked, so that none of them is resumed and registers again before this commits: it would be taken out with its new wait.
const registerWaiters = statement(
  'register_waiters',
  `with waits as (
     select target, array_agg(waiter) as waiters
     from unnest($1::text[], $2::text[]) w (waiter, target)
     group by target
   ), registered as materialized (
     select distinct u.id
     from {schema}.runs t
     cross join unnest(t.awaited_by) u (id)
     where t.id = any ($2::text[]) and cardinality(t.awaited_by) % ${pruneEvery} = 0
   ), ended as materialized (
     select f.id
     from registered g
     join {schema}.runs f on f.id = g.id and g.id || '' = g.id
     where f.finished_at is not null
     order by f.id
     for share of f skip locked
   )
   update {schema}.runs r
   set awaited_by = (
     select array_agg(distinct u)
     from unnest(coalesce(r.awaited_by, '{}') || w.waiters) u
     where u = any (w.waiters) or u not in (select id from ended))
   from waits w
   where r.id = w.target and w.target || '' = w.target and r.finished_at is null
   returning r.id`,
);

/** One run waits for the outcome of another. */
export interface Wait {
  readonly waiter: RunId;
  readonly target: RunId;
}

/** Registers waits; returns the targets that are still unfinished. Safe to repeat. */
export async function registerWaits(db: Queryable, waits: readonly Wait[]): Promise<ReadonlySet<string>> {
  const rows = await db.query(registerWaiters, [
    textArray(waits.map((w) => w.waiter)),
    textArray(waits.map((w) => w.target)),
  ]);
  return new Set(rows.map((row) => readText(row, 'id')));
}

/**
 * The part of a statement that ends or publishes for runs, behind its part `woken`: it notes durably that waiters are left to
 * `wakeWaiters`, in case this process dies before. `awaited` has the runs; `goesOn` says whether a waiter `w.id` is none of those that the statement ends itself.
 */
export const unwokenPart = (awaited: string, goesOn: string): string => `unwoken as (
     insert into {schema}.unwoken (run_id)
     select a.id
     from ${awaited} a
     where a.awaited_by is not null and exists (
       select from unnest(a.awaited_by) w (id)
       where ${goesOn} and w.id not in (select id from woken)
         and not exists (select from {schema}.runs r where r.id = w.id and w.id || '' = w.id and r.finished_at is not null))
     on conflict (run_id) do nothing
     returning 1
   )`;

// Index: primary key. The statement that ends a run, or publishes for it, wakes its waiters, but sees the rows as they were when it
// began: if it then had to wait for a lock, a waiter that was inserted or claimed meanwhile has registered and goes unseen.
const wake = statement(
  'wake_waiters',
  `with woken as (
     update {schema}.runs r
     set due_at = now()
     from (select distinct unnest(awaited_by) as id from {schema}.runs where id = any ($1::text[])) w
     where r.id = w.id and w.id || '' = w.id and r.status || '' in ('running', 'waiting')
     returning 1
   ), settled as (
     delete from {schema}.unwoken where run_id = any ($1::text[])
   )
   select 1 from woken`,
);

/** Has those go on who await any of these runs, to look for themselves; returns how many. Safe to repeat: to be woken is no harm. */
export async function wakeWaiters(db: Queryable, targets: readonly RunId[]): Promise<number> {
  return (await db.query(wake, [textArray(targets)])).length;
}

// Normally empty: whoever ends runs, or publishes for them, wakes their waiters next.
const findUnwoken = statement('find_unwoken', 'select run_id from {schema}.unwoken order by run_id limit 500');

/** Wakes the waiters that processes which died have left; returns how many. */
export async function wakeForgotten(db: Queryable): Promise<number> {
  const ended = (await db.query(findUnwoken, [])).map((row) => readText(row, 'run_id') as RunId);
  return ended.length === 0 ? 0 : wakeWaiters(db, ended);
}

function parseOutcome(row: Row): OutcomeOf {
  return {
    id: readText(row, 'id') as RunId,
    workflow: readText(row, 'workflow'),
    status: findStatus(readText(row, 'status')) ?? 'paused',
    output: findText(row, 'output'),
    error: findText(row, 'error'),
  };
}

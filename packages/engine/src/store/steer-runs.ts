// Steering runs from outside: cancelling and pausing them, dropping the record of a failed step, deleting them.

import type { RunId } from '../values/ids.js';
import { findStatus, isFinal, type RunStatus } from '../values/status.js';
import { textArray } from './binary-arrays.js';
import { from } from './runs.js';
import { findText, readBoolean, readText, statement, type Queryable } from './sql.js';
import { unwokenPart } from './waiters.js';

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
     set status = 'cancelled', epoch = r.epoch + 1, due_at = null, finished_at = now(),
         error = replace($2, '{id}', trim(both '"' from to_json(r.id)::text))
     from target t
     where r.id = t.id
     returning r.id, r.awaited_by, r.is_watched, r.executor,
               case when t.status = 'running' then t.epoch || ' ' || r.id end as interruption
   ), woken as (
     update {schema}.runs r
     set due_at = now()
     from (select distinct unnest(awaited_by) as id from cancelled where awaited_by is not null) w
     where r.id = w.id and w.id || '' = w.id and r.status || '' in ('running', 'waiting') and r.id not in (select id from target)
     returning r.id
   ), ${unwokenPart('cancelled', 'w.id not in (select id from target)')}, told as (
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

/** Which runs to cancel, and how. */
export interface Cancellation {
  readonly ids: readonly RunId[];
  /** The stored error, with `{id}` for the run's id. */
  readonly error: string;
  /** Everything that they started as well. */
  readonly children: boolean;
}

/** Cancels unfinished runs. Finished ones stay as they are. */
export async function cancelRuns(
  db: Queryable,
  { ids, error, children }: Cancellation,
): Promise<readonly CancelledRun[]> {
  return (await db.query(cancel, [textArray(ids), error, children])).map((row) => ({
    id: readText(row, 'id') as RunId,
    isWatched: readBoolean(row, 'is_watched'),
    isAwaited: readBoolean(row, 'is_awaited'),
    interruption: findText(row, 'interruption'),
  }));
}

// As a cancellation, with a note to the owner, who would otherwise go on until its next write is refused; but nobody is
// woken, because nothing has ended. Lock order: runs by id; the executor's row last, and never for update.
const pause = statement(
  'pause_runs',
  `with target as (
     select r.id, r.executor, r.status, r.epoch from {schema}.runs r
     where r.id = any ($1::text[]) and r.status in (${from('pause')})
     order by r.id
     for update
   ), paused as (
     update {schema}.runs r
     set status = 'paused', epoch = r.epoch + 1, due_at = null, error = null
     from target t
     where r.id = t.id and t.id || '' = t.id
     returning r.id, r.executor, case when t.status = 'running' then t.epoch || ' ' || r.id end as interruption
   ), told as (
     update {schema}.executors e
     set interrupted_runs = e.interrupted_runs || c.ids
     from (select executor, array_agg(interruption) as ids from paused where interruption is not null group by executor) c
     where e.id = c.executor
     returning 1
   )
   select id, interruption from paused`,
);

/** A run that was paused. */
export interface PausedRun {
  readonly id: RunId;
  /** For its owner, if it was running: the epoch and the id. */
  readonly interruption: string | undefined;
}

/** Pauses unfinished runs; returns those that were not paused before. Safe to repeat. */
export async function pauseRuns(db: Queryable, ids: readonly RunId[]): Promise<readonly PausedRun[]> {
  return (await db.query(pause, [textArray(ids)])).map((row) => ({
    id: readText(row, 'id') as RunId,
    interruption: findText(row, 'interruption'),
  }));
}

// Only the very last record can go: everything that the code did after a recorded failure was recorded behind it and would
// miss it on replay. The row of the run is locked, so that it is not resumed and replayed meanwhile.
const dropFailure = statement(
  'drop_failed_step',
  `with target as (
     select id from {schema}.runs where id = $1 and status in ('failed', 'cancelled') for update
   ), dropped as (
     delete from {schema}.steps s
     using target t
     where s.run_id = t.id and s.error is not null and s.seq = (select max(seq) from {schema}.steps where run_id = $1)
     returning s.run_id, s.name, s.occurrence
   ), attempts as (
     delete from {schema}.step_attempts a
     using dropped d
     where a.run_id = d.run_id and a.name = d.name and a.occurrence = d.occurrence
     returning 1
   )
   select name from dropped`,
);

/** Forgets that the last recorded step of a finished run failed; returns the step's name, if it did. Safe to repeat. */
export async function dropFailedStep(db: Queryable, id: RunId): Promise<string | undefined> {
  const [row] = await db.query(dropFailure, [id]);
  return row === undefined ? undefined : readText(row, 'name');
}

// All or nothing. Of a run that has not ended when this statement begins, a batch may be on its way that it does not see: it would
// leave rows of a run that is gone. So a run must have ended by then, and not again when it is locked. Children that stay lose their
// parent: a later run of its id must not take them for its own. They are locked with the others, because locks are taken by id.
const deleteAll = statement(
  'delete_runs',
  `with recursive tree as (
     select id, status, finished_at, true as is_asked from {schema}.runs where id = any ($1::text[])
     union
     select c.id, c.status, c.finished_at, $2::boolean from {schema}.runs c join tree t on c.parent_id = t.id where t.is_asked
   ), target as (
     select r.id, t.is_asked,
            case when t.finished_at is null then t.status when t.finished_at <> r.finished_at then 'running' else r.status end as status,
            coalesce(t.finished_at = r.finished_at, false) as has_ended
     from tree t
     join {schema}.runs r on r.id = t.id and t.id || '' = t.id
     order by r.id
     for update of r
   ), doomed as materialized (
     select id from target where is_asked and not exists (select from target where is_asked and not has_ended)
   ), left_alone as (
     update {schema}.runs x set parent_id = null
     from doomed d
     where x.parent_id = d.id and x.id not in (select id from doomed)
   ), steps as (
     delete from {schema}.steps x using doomed d where x.run_id = d.id
   ), attempts as (
     delete from {schema}.step_attempts x using doomed d where x.run_id = d.id
   ), transactions as (
     delete from {schema}.transaction_results x using doomed d where x.run_id = d.id
   ), messages as (
     delete from {schema}.messages x using doomed d where x.run_id = d.id
   ), events as (
     delete from {schema}.events x using doomed d where x.run_id = d.id
   ), history as (
     delete from {schema}.event_history x using doomed d where x.run_id = d.id
   ), chunks as (
     delete from {schema}.stream_chunks x using doomed d where x.run_id = d.id
   ), gone as (
     delete from {schema}.runs x using doomed d where x.id = d.id
   )
   select id, status from target where is_asked order by has_ended, id`,
);

/** What became of a deletion. */
export interface Deletion {
  readonly ids: readonly RunId[];
  /** An unfinished run among them: then nothing was deleted. */
  readonly unfinished: { readonly id: RunId; readonly status: RunStatus } | undefined;
}

/** Deletes finished runs with everything that was recorded of them, and with `children` the whole tree. Safe to repeat. */
export async function deleteRuns(db: Queryable, ids: readonly RunId[], children: boolean): Promise<Deletion> {
  const found = (await db.query(deleteAll, [textArray(ids), children])).map((row) => ({
    id: readText(row, 'id') as RunId,
    status: findStatus(readText(row, 'status')) ?? 'paused',
  }));
  const unfinished = found.find(({ status }) => !isFinal(status));
  return { ids: unfinished === undefined ? found.map(({ id }) => id) : [], unfinished };
}

// The journal's statement in its shapes: a batch pays only for what it has. batch.ts sends them.

import { publicationParts } from './publications.js';
import { placeTypes, startedInQueuesPart } from './queue-starts.js';
import { arrayParameters, statement, unnest, type Statement } from './sql.js';
import { unwokenPart } from './waiters.js';

// owner: the executor's row, locked for key share. Heartbeats do not conflict with it; declaring it dead takes it for
//   update, so a batch is either wholly before the takeover or writes nothing. From then on, the statement waits a second for a lock:
//   what takes longer is a transaction of the application, which may stay open for as long as it likes (journal-lane.ts).
// started: `on conflict` makes a second start of an id a no-op. A child is inserted only while its parent is owned as
//   the writer believes, and the parent's row is locked for share: a cancellation of the parent is either seen here, or
//   comes after this commit and finds the child (`cancelMany`). What is due at once is due by the database's clock: that of the process may
//   be some milliseconds ahead, and a claim that is asked for now would not find it.
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
/** The common table expression of the executor, which holds its row. Parameter: $1 its id. */
export const ownerPart = `owner as materialized (
     select set_config('lock_timeout', '1s', true) from {schema}.executors where id = $1::uuid and dead_at is null for key share
   )`;

const startTypes =
  'text text text text int4 timestamptz text text text int8 timestamptz text int4 text timestamptz timestamptz';
const checkpointTypes = 'text int4 int4 text int4 text text text text timestamptz timestamptz';
const outcomeTypes = 'text int4 text text text';

const startedPart = (columns: readonly string[]): string => `started as (
     insert into {schema}.runs (id, workflow, version, status, executor, epoch, due_at, input, output, error, timeout_ms,
                                deadline_at, parent_id, attributes, created_at, started_at, finished_at)
     select s.id, s.workflow, s.version, s.status, case when s.owned = 1 then $1::uuid end, s.owned,
            case when s.due_at <= s.created_at then now() else s.due_at end, s.input,
            s.output, s.error, s.timeout_ms, s.deadline_at, s.parent_id, s.attributes::jsonb, s.created_at,
            case when s.owned = 1 then s.created_at end, s.finished_at
     from ${unnest(columns)}
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

const endParts = (checkpoints: readonly string[], outcomes: readonly string[]): string => `recorded as (
     insert into {schema}.steps (run_id, seq, name, occurrence, kind, epoch, output, error, child_id, started_at, finished_at)
     select c.run_id, c.seq, c.name, c.occurrence, c.kind, c.epoch, c.output, c.error, c.child_id, c.started_at, c.finished_at
     from ${unnest(checkpoints)}
       c (run_id, epoch, seq, name, occurrence, kind, output, error, child_id, started_at, finished_at)
     join {schema}.runs r on r.id = c.run_id and r.epoch = c.epoch and r.executor = $1::uuid and r.status || '' = 'running'
     where c.run_id || '' = c.run_id and exists (select from owner)
     returning 1
   ), finished as (
     update {schema}.runs r
     set status = o.status, output = o.output, error = o.error, due_at = null,
         finished_at = case when o.status <> 'paused' then now() end
     from ${unnest(outcomes)} o (id, epoch, status, output, error)
     where r.id = o.id and r.epoch = o.epoch and r.executor = $1::uuid and r.status || '' = 'running'
       and o.id || '' = o.id and exists (select from owner)
     returning r.id, r.awaited_by, r.is_watched
   )`;

/** The common table expressions that wake whoever waits for `awaited`, but for those that this statement ends. */
export const wokenPart = (awaited: string, ended: string): string => `woken as (
     update {schema}.runs r
     set due_at = now()
     from (select distinct unnest(a.awaited_by) as id from ${awaited} a where a.awaited_by is not null) w
     where r.id = w.id and w.id || '' = w.id and r.status || '' in ('running', 'waiting') and r.id <> all (${ended})
     returning r.id
   ), ${unwokenPart(awaited, `w.id <> all (${ended})`)}`;

const startAnswer = `case when (select count(*) from started) < cardinality($2::text[])
               then (select coalesce(array_agg(id), '{}') from started) end as started_ids`;
const queueAnswer = '(select array_agg(id) from started where is_queued) as queued_ids';
const endAnswer = `(select count(*) from recorded)::int4 as recorded,
          (select count(*) from finished)::int4 as finished,
          (select array_agg(id) from finished where is_watched) as watched_ids,
          (select count(*) from woken)::int4 as woken,
          (select count(*) from unwoken)::int4 as unwoken`;

/** Starts in a batch: none, plain ones, or some with a place in a queue or an idempotency key among them. */
export type Starts = 'none' | 'plain' | 'placed';

/** Checkpoints and outcomes in a batch: none, some, or some with publications beside them. */
export type Ends = 'none' | 'plain' | 'publishing';

// Parameters: $1 the executor, then the columns of starts, of checkpoints and outcomes, and of publications, as far as there are any.
function shape(starts: Starts, ends: Ends): Statement {
  const take = arrayParameters(2);
  const parts = [ownerPart];
  const answers = ['exists (select from owner) as is_owner'];
  if (starts === 'plain') parts.push(startedPart(take(startTypes)));
  if (starts === 'placed') parts.push(startedInQueuesPart(take(`${startTypes} ${placeTypes}`)));
  if (starts !== 'none') answers.push(startAnswer);
  if (starts === 'placed') answers.push(queueAnswer);
  if (ends !== 'none') {
    const [checkpoints, outcomes] = [take(checkpointTypes), take(outcomeTypes)];
    const ended = outcomes[0] ?? '';
    parts.push(endParts(checkpoints, outcomes));
    if (ends === 'plain') parts.push(wokenPart('finished', ended));
    else
      parts.push(
        publicationParts(take),
        wokenPart('(select id, awaited_by from finished union all select id, awaited_by from announced)', ended),
      );
    answers.push(endAnswer);
  }
  const name = ends === 'publishing' ? 'write_and_publish' : 'write_batch';
  return statement(name, `with ${parts.join(', ')} select ${answers.join(', ')}`, `_${starts}_${ends}`);
}

const shapesOf = (starts: Starts): Readonly<Record<Ends, Statement>> => ({
  none: shape(starts, 'none'),
  plain: shape(starts, 'plain'),
  publishing: shape(starts, 'publishing'),
});

/** The statement for what a batch has of each. */
export const batchStatements = { none: shapesOf('none'), plain: shapesOf('plain'), placed: shapesOf('placed') };

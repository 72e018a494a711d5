// Claims that stay open while their runs begin: a transaction locks the runs, their code is executed up to the first thing that must
// be durable, and what has ended by then is written once, from in line to finished (docs/decisions/0010-open-claims.md).
// For new runs in line in queues without limits; everything else is claimed by queues.ts.

import type { ExecutorId, RunId } from '../values/ids.js';
import type { RunStatus } from '../values/status.js';
import { ownerPart, wokenPart } from './batch-statements.js';
import { int4Array, int8Array, textArray, timestampArray } from './binary-arrays.js';
import { isHosted, isReady, namesPart, notedPart, sweepOfKeys } from './queue-admission.js';
import { parseClaimedRun, type ClaimedRun, type Hosted } from './queues.js';
import { findTexts, onlyRow, readBoolean, readNumber, readTexts, statement, type Queryable, type Row } from './sql.js';
import { unwokenPart } from './waiters.js';

// A process that hangs meanwhile does not hold its runs for ever.
const longestOpen = '10s';

const isOpen = 'not q.is_paused and not q.is_limited and q.executor_concurrency is null';

// Before everybody in line.
const first = '-2147483648, 0::int8';

// The parts are those of queue-admission.ts without what limits need. The executor's row is not locked: nothing is written yet, and a
// process that hangs here must not keep others from declaring it dead.
// Who cancels, pauses or deletes one of these runs waits for the locks, and who sends it a message, or begins to wait for its end. Nobody
// else does: a run that was never claimed waits for nothing, so nobody wakes it.
// shares: of each key in line, or of those behind whose marks it goes on. Entries of the index stay where runs were, until a vacuum; to
// walk over those of a long line at each claim would make it slower and slower.
// The last row has the marks: of the keys that gave what they were asked for, or all but one, which the limit may have cut.
const claimOpen = statement(
  'claim_open',
  `with recursive owner as materialized (
     select set_config('idle_in_transaction_session_timeout', '${longestOpen}', true)
     from {schema}.executors where id = $1::uuid and dead_at is null and cardinality($8::text[]) = 0
   ), ${namesPart}, ${notedPart}, lines as materialized (
     select q.name, coalesce(h.cursor, '') as cursor
     from names n
     join {schema}.queues q on q.name = n.name
     left join unnest($6::text[], $7::text[]) h (name, cursor) on h.name = q.name
     where ${isOpen} and ($5::text[] is null or q.name = any ($5::text[]))
   ), known (name, key, place, priority, position) as (
     select o.name, k.key, k.place, ${first}
     from lines o
     cross join lateral (${sweepOfKeys}) k
     union all
     select m.name, m.key, m.place, m.priority, m.position
     from unnest($8::text[], $9::text[], $10::int4[], $11::int8[]) with ordinality m (name, key, priority, position, place)
     join {schema}.queues q on q.name = m.name and q.name || '' = q.name
     where ${isOpen}
       and exists (select set_config('idle_in_transaction_session_timeout', '${longestOpen}', true)
                   from {schema}.executors where id = $1::uuid and dead_at is null)
   ), shares as materialized (
     select k.*, ceil($4::numeric / count(*) over (partition by k.name))::int4 as share from known k
   ), chosen as materialized (
     select s.name, s.key, s.share, c.*, row_number() over (partition by s.name order by c.turn, s.place) as rank
     from shares s
     cross join lateral (
       select first.*, row_number() over () as turn
       from (
         select r.id, r.workflow, r.version, r.epoch, r.input, r.timeout_ms, r.attributes, r.accepts_new_steps, r.started_at, r.deadline_at,
                r.priority, r.queue_position
         from {schema}.runs r
         where ${isReady} and r.status || '' = 'queued' and r.queue = s.name and r.partition_key = s.key and ${isHosted}
           and (r.priority, r.queue_position) > (s.priority, s.position)
           and r.epoch = 0 and r.id not in (select id from noted)
         order by r.priority, r.queue_position
         limit s.share
         for update of r skip locked
       ) first
     ) c
     order by rank, s.name
     limit $4::int4
   ), marks as (
     select array_agg(c.name order by c.rank) as queues, array_agg(c.key order by c.rank) as keys,
            array_agg(c.priority order by c.rank) as priorities, array_agg(c.queue_position::float8 order by c.rank) as positions
     from chosen c
     where c.turn >= c.share - 1
   ), clock as materialized (
     select date_trunc('milliseconds', now()) as claimed_at
   )
   select c.id, c.workflow, c.version, c.name as queue, c.epoch + 1 as epoch, c.input, c.timeout_ms::float8 as timeout_ms, c.attributes,
          c.accepts_new_steps, false as is_continued,
          (extract(epoch from coalesce(c.started_at, t.claimed_at)) * 1000)::float8 as started_at_ms,
          (extract(epoch from least(c.deadline_at, t.claimed_at + c.timeout_ms * interval '1 millisecond')) * 1000)::float8 as deadline_at_ms,
          null as queues, null as keys, null as priorities, null as positions
   from chosen c cross join clock t
   union all
   select null, null, null, null, null, null, null, null, null, null, (extract(epoch from t.claimed_at) * 1000)::float8, null, m.*
   from clock t cross join marks m`,
);

/** How far a key of a queue has been claimed. */
export interface Mark {
  readonly queue: string;
  readonly key: string;
  readonly priority: number;
  readonly position: number;
}

/** What an open claim has locked. */
export interface LockedRuns {
  readonly runs: readonly ClaimedRun[];
  /** When, of the database's time. */
  readonly claimedAtMs: number;
  /** Where the keys go on that have more, in the order in which they were served. */
  readonly marks: readonly Mark[];
}

/** Who claims, and what. */
export interface OpenClaimant {
  readonly executor: ExecutorId;
  readonly hosted: readonly Hosted[];
  readonly limit: number;
  /** The queues that it serves; undefined for all. */
  readonly serves: readonly string[] | undefined;
  /** The key of each queue that was served last. */
  readonly cursors: ReadonlyMap<string, string>;
  /** Only what is behind these; none for whatever there is. */
  readonly marks: readonly Mark[];
}

/** Locks up to `limit` new runs in line, until the transaction ends. */
export async function lockRuns(transaction: Queryable, claimant: OpenClaimant): Promise<LockedRuns> {
  const { executor, hosted, limit, serves, cursors, marks } = claimant;
  const rows = await transaction.query(claimOpen, [
    executor,
    hosted.map((h) => h.workflow),
    hosted.map((h) => h.version),
    limit,
    serves === undefined ? null : textArray(serves),
    textArray([...cursors.keys()]),
    textArray([...cursors.values()]),
    textArray(marks.map((m) => m.queue)),
    textArray(marks.map((m) => m.key)),
    int4Array(marks.map((m) => m.priority)),
    int8Array(marks.map((m) => m.position)),
  ]);
  const facts = onlyRow(rows.filter(({ id }) => id === null));
  return {
    runs: rows.filter(({ id }) => id !== null).map(parseClaimedRun),
    claimedAtMs: readNumber(facts, 'started_at_ms'),
    marks: parseMarks(facts),
  };
}

function parseMarks(row: Row): readonly Mark[] {
  const [keys, priorities, positions] = [
    readTexts(row, 'keys'),
    readTexts(row, 'priorities'),
    readTexts(row, 'positions'),
  ];
  return readTexts(row, 'queues').map((queue, at) => ({
    queue,
    key: keys[at] ?? '',
    priority: Number(priorities[at]),
    position: Number(positions[at]),
  }));
}

const note = statement(
  'note_open_claim',
  `insert into {schema}.open_claims (executor, number, run_ids)
   select e.id, $2::int2, $3::text[] from {schema}.executors e where e.id = $1::uuid and e.dead_at is null for key share
   on conflict (executor, number) do update set run_ids = excluded.run_ids
   returning 1`,
);

/** Notes, outside of the transaction and before any code of the runs, who may die of them. False: the executor has been declared dead. */
export async function noteOpenClaim(
  db: Queryable,
  executor: ExecutorId,
  { number, runs }: { readonly number: number; readonly runs: readonly ClaimedRun[] },
): Promise<boolean> {
  return (await db.query(note, [executor, number, textArray(runs.map(({ id }) => id))])).length > 0;
}

const forget = statement(
  'forget_open_claims',
  `delete from {schema}.open_claims where executor = $1::uuid returning 1`,
);

/** The executor holds nothing by open claims any more. Safe to repeat. */
export async function forgetOpenClaims(db: Queryable, executor: ExecutorId): Promise<void> {
  await db.query(forget, [executor]);
}

/** How a run leaves an open claim: owned from then on, or with its outcome. */
export interface SettledRow {
  readonly id: RunId;
  readonly status: RunStatus;
  readonly output: string | undefined;
  readonly error: string | undefined;
  readonly finishedAtMs: number | undefined;
}

// settled: what claims and outcomes write, in one. The rest is as in batch-statements.ts.
// The times of the claim are given back, because now() in workflow code is derived from them and must be the same on replay.
const settle = statement(
  'settle_open_claim',
  `with ${ownerPart}, settled as (
     update {schema}.runs r
     set status = s.status, executor = $1::uuid, epoch = r.epoch + 1, due_at = null, slot = 'held',
         started_at = coalesce(r.started_at, $2::timestamptz),
         deadline_at = least(r.deadline_at, $2::timestamptz + r.timeout_ms * interval '1 millisecond'),
         output = s.output, error = s.error,
         finished_at = case when s.finished_at is not null then greatest(s.finished_at, $2::timestamptz) end
     from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[]) s (id, status, output, error, finished_at)
     where r.id = s.id and s.id || '' = s.id and r.status || '' = 'queued' and exists (select from owner)
     returning r.id, r.finished_at, r.awaited_by, r.is_watched
   ), finished as (
     select s.id, s.awaited_by, s.is_watched from settled s where s.finished_at is not null
   ), ${wokenPart('finished', '$3::text[]')}
   select exists (select from owner) as is_owner,
          case when (select count(*) from settled) < cardinality($3::text[])
               then (select coalesce(array_agg(id), '{}') from settled) end as settled_ids,
          (select array_agg(id) from finished where is_watched) as watched_ids,
          (select count(*) from woken)::int4 as woken,
          (select count(*) from unwoken)::int4 as unwoken`,
);

/** What became of an open claim; durable once its transaction is committed. */
export interface SettledClaim {
  /** False when the executor has been declared dead: then nothing was written. */
  readonly isOwner: boolean;
  /** The runs that were written, or undefined for all. */
  readonly settledIds: readonly string[] | undefined;
  /** Finished runs whose outcome some other process waits for. */
  readonly watchedIds: readonly string[];
  /** Runs that became due by these outcomes. */
  readonly woken: number;
  /** Runs that ended, with waiters that did not become due: the statement may not have seen them (`wakeWaiters`). */
  readonly unwoken: number;
}

/** Writes what became of the runs that `transaction` holds. */
export async function settleRuns(
  transaction: Queryable,
  executor: ExecutorId,
  { claimedAtMs, rows }: { readonly claimedAtMs: number; readonly rows: readonly SettledRow[] },
): Promise<SettledClaim> {
  const row = onlyRow(
    await transaction.query(settle, [
      executor,
      new Date(claimedAtMs),
      textArray(rows.map((r) => r.id)),
      textArray(rows.map((r) => r.status)),
      textArray(rows.map((r) => r.output)),
      textArray(rows.map((r) => r.error)),
      timestampArray(rows.map((r) => r.finishedAtMs)),
    ]),
  );
  return {
    isOwner: readBoolean(row, 'is_owner'),
    settledIds: findTexts(row, 'settled_ids'),
    watchedIds: readTexts(row, 'watched_ids'),
    woken: readNumber(row, 'woken'),
    unwoken: readNumber(row, 'unwoken'),
  };
}

// What an executor that died may have died of is recovered as if it had owned it.
const count = statement(
  'count_open_claims',
  `with gone as (
     delete from {schema}.open_claims c
     where not exists (select from {schema}.executors e where e.id = c.executor and e.dead_at is null)
     returning c.run_ids
   ), ended as (
     update {schema}.runs r
     set recoveries = r.recoveries + 1, crashes = r.crashes + 1, slot = 'held',
         status = case when r.crashes >= $1::int4 then 'failed' else 'waiting' end,
         due_at = case when r.crashes >= $1::int4 then null else now() end,
         finished_at = case when r.crashes >= $1::int4 then now() end,
         error = case when r.crashes >= $1::int4 then replace($2, '{id}', trim(both '"' from to_json(r.id)::text)) else r.error end
     from (select distinct unnest(g.run_ids) as id from gone g) n
     where r.id = n.id and n.id || '' = n.id and r.status || '' = 'queued' and r.epoch = 0
     returning r.id, r.status, r.awaited_by
   ), woken as (
     update {schema}.runs r
     set due_at = now()
     from (select distinct unnest(awaited_by) as id from ended where status = 'failed' and awaited_by is not null) w
     where r.id = w.id and w.id || '' = w.id and r.status || '' in ('running', 'waiting') and r.id not in (select id from ended)
     returning r.id
   ), ${unwokenPart("(select id, awaited_by from ended where status = 'failed')", 'w.id not in (select id from ended)')}
   select (select count(*) from ended where status = 'waiting')::int4 as counted,
          (select array_agg(id) from ended where status = 'failed') as failed_ids`,
);

/** Counts the deaths of executors against the runs that they held by open claims, which are others' from then on. */
export async function countOpenClaims(
  db: Queryable,
  { maxRecoveries, crashLimitError }: { readonly maxRecoveries: number; readonly crashLimitError: string },
): Promise<{ readonly counted: number; readonly failedIds: readonly string[] }> {
  const row = onlyRow(await db.query(count, [maxRecoveries, crashLimitError]));
  return { counted: readNumber(row, 'counted'), failedIds: readTexts(row, 'failed_ids') };
}

// The rows of executors: heartbeat, the end of the dead, and the taking back of their runs.
// Lock order: executor row, then runs by id (DESIGN: "Fence").
// Leases are about processes, and a test may give its database a time of its own by a `now()` that is found before that of
// pg_catalog (@perdure/testing). So a lease is counted by `pg_catalog.now()`, and what happens to runs by `now()`.

import type { ExecutorId } from '../values/ids.js';
import { onlyRow, readBoolean, readNumber, readText, readTexts, statement, type Queryable, type Row } from './sql.js';
import { unwokenPart } from './waiters.js';

/** What an executor says of itself when it starts. */
export interface ExecutorRow {
  readonly id: ExecutorId;
  readonly host: string;
  readonly pid: number;
  readonly leaseMs: number;
  /** `name`, or `name@version`. */
  readonly workflows: readonly string[];
  /** The queues that it serves; undefined for all. */
  readonly queues: readonly string[] | undefined;
}

const insert = statement(
  'insert_executor',
  `insert into {schema}.executors (id, host, pid, lease_ms, workflows, queues, heartbeat_at)
   values ($1::uuid, $2, $3::int4, $4::int4, $5::text[], $6::text[], pg_catalog.now())
   on conflict (id) do nothing
   returning 1`,
);

export async function insertExecutor(db: Queryable, row: ExecutorRow): Promise<void> {
  await db.query(insert, [row.id, row.host, row.pid, row.leaseMs, [...row.workflows], row.queues ?? null]);
}

// beat: a non-key update, so it does not wait for batches, which hold the row for key share.
// expired: `for update` conflicts with the key share of a batch in flight; `skip locked` then leaves that executor to the
//   next round instead of waiting. Once dead_at is committed, no batch of it can begin to write.
// An executor that has itself been declared dead buries nobody.
const beat = statement(
  'heartbeat',
  `with self as (
     select id, interrupted_runs from {schema}.executors where id = $1::uuid and dead_at is null for no key update
   ), beat as (
     update {schema}.executors e
     set heartbeat_at = pg_catalog.now(), interrupted_runs = '{}', workflows = $2::text[]
     from self
     where e.id = self.id
     returning 1
   ), expired as (
     select id from {schema}.executors
     where dead_at is null and id <> $1::uuid and heartbeat_at < pg_catalog.now() - lease_ms * interval '1 millisecond'
       and exists (select from self)
     for update skip locked
   ), buried as (
     update {schema}.executors e set dead_at = pg_catalog.now() from expired where e.id = expired.id
     returning e.id, e.host, e.pid, (extract(epoch from pg_catalog.now() - e.heartbeat_at) * 1000)::float8 as silent_ms
   )
   select self.interrupted_runs,
          (extract(epoch from clock_timestamp()) * 1000)::float8 as now_ms,
          (select count(*) from beat)::int4 as beats,
          exists (select from {schema}.executors where dead_at is not null) as has_dead,
          buried.id::text as dead_id, buried.host, buried.pid, buried.silent_ms
   from self left join buried on true`,
);

/** An executor that has just been declared dead. */
export interface DeadExecutor {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly silentMs: number;
}

/** What a sign of life brings back. */
export interface Heartbeat {
  /** The database's time. */
  readonly nowMs: number;
  /** Runs of this executor that others have cancelled or paused since the last one, each as `epoch id`. */
  readonly interruptedRuns: readonly string[];
  /** Executors whose lease was over: this heartbeat has declared them dead. */
  readonly buried: readonly DeadExecutor[];
  /** Some dead executor may still have runs to be recovered. */
  readonly hasDead: boolean;
}

/** A sign of life; finds nothing when the executor has been declared dead itself. */
export async function heartbeat(
  db: Queryable,
  id: ExecutorId,
  workflows: readonly string[],
): Promise<Heartbeat | undefined> {
  const rows = await db.query(beat, [id, [...workflows]]);
  const [row] = rows;
  if (row === undefined) return undefined;
  const buried = rows.filter((dead) => dead['dead_id'] !== null).map(parseDead);
  return {
    nowMs: readNumber(row, 'now_ms'),
    interruptedRuns: readTexts(row, 'interrupted_runs'),
    buried,
    hasDead: buried.length > 0 || readBoolean(row, 'has_dead'),
  };
}

function parseDead(row: Row): DeadExecutor {
  return {
    id: readText(row, 'dead_id'),
    host: readText(row, 'host'),
    pid: readNumber(row, 'pid'),
    silentMs: readNumber(row, 'silent_ms'),
  };
}

// Index: runs_owned. Bounded, so that a mass failure neither makes a huge transaction nor holds locks for long; the
// caller repeats it. A run that has crashed its owner too often without getting further fails instead; whoever waits for it is woken.
const recover = statement(
  'recover_runs',
  `with lost as (
     select r.id, case when r.epoch = (select s.epoch from {schema}.steps s where s.run_id = r.id order by s.seq desc limit 1)
                       then 1 else r.crashes + 1 end as crashes
     from {schema}.runs r
     where r.status = 'running' and r.executor in (select id from {schema}.executors where dead_at is not null)
     order by r.id
     limit $1::int4
     for update of r skip locked
   ), recovered as (
     update {schema}.runs r
     set recoveries = r.recoveries + 1, crashes = lost.crashes, executor = null, epoch = r.epoch + 1,
         status = case when lost.crashes > $2::int4 then 'failed' else 'waiting' end,
         due_at = case when lost.crashes > $2::int4 then null else now() end,
         finished_at = case when lost.crashes > $2::int4 then now() end,
         error = case when lost.crashes > $2::int4 then replace($3, '{id}', trim(both '"' from to_json(r.id)::text)) else r.error end
     from lost
     where r.id = lost.id and lost.id || '' = lost.id
     returning r.id, r.status, r.awaited_by
   ), woken as (
     update {schema}.runs r
     set due_at = now()
     from (select distinct unnest(awaited_by) as id from recovered where status = 'failed' and awaited_by is not null) w
     where r.id = w.id and w.id || '' = w.id and r.status || '' in ('running', 'waiting') and r.id not in (select id from lost)
     returning r.id
   ), ${unwokenPart("(select id, awaited_by from recovered where status = 'failed')", 'w.id not in (select id from lost)')}, swept as (
     delete from {schema}.executors e
     where e.dead_at < pg_catalog.now() - interval '1 minute' and not exists (
       select from {schema}.runs r where r.executor = e.id and r.status = 'running')
     returning 1
   )
   select (select count(*) from recovered where status = 'waiting')::int4 as recovered,
          (select array_agg(id) from recovered where status = 'failed') as failed_ids,
          (select count(*) from swept)::int4 as swept,
          exists (select from {schema}.open_claims c
                  where c.executor not in (select e.id from {schema}.executors e where e.dead_at is null)) as has_notes`,
);

/** What one round of recovery did. */
export interface Recovery {
  readonly recovered: number;
  /** Dead executors held runs by open claims. */
  readonly hasNotes: boolean;
  /** Runs that crashed their owners too often. */
  readonly failedIds: readonly string[];
}

/** How far a round of recovery goes. */
export interface RecoveryLimits {
  /** How many runs at most. */
  readonly limit: number;
  /** How often the owner of a run may die before the run fails. */
  readonly maxRecoveries: number;
  /** With which stored error, with `{id}` for the run's id. */
  readonly crashLimitError: string;
}

/** Frees runs of dead executors. */
export async function recoverRuns(
  db: Queryable,
  { limit, maxRecoveries, crashLimitError }: RecoveryLimits,
): Promise<Recovery> {
  const row = onlyRow(await db.query(recover, [limit, maxRecoveries, crashLimitError]));
  return {
    recovered: readNumber(row, 'recovered'),
    failedIds: readTexts(row, 'failed_ids'),
    hasNotes: readBoolean(row, 'has_notes'),
  };
}

// A clean end, in two statements. The first waits for a batch that is still at work (for update, as a takeover does) and
// lets no other begin. The second has a snapshot that sees what that batch has written. Dying in between is a death.
const resign = statement(
  'resign',
  `with self as (
     select id from {schema}.executors where id = $1::uuid for update
   )
   update {schema}.executors e set dead_at = coalesce(e.dead_at, pg_catalog.now()) from self where e.id = self.id`,
);

// Index: runs_owned. Whatever it still owns is due at once for others.
const leave = statement(
  'leave',
  `with released as (
     update {schema}.runs
     set status = 'waiting', executor = null, due_at = now()
     where status = 'running' and executor = $1::uuid
     returning 1
   ), gone as (
     delete from {schema}.executors where id = $1::uuid
     returning 1
   ), settled as (
     delete from {schema}.open_claims where executor = $1::uuid
     returning 1
   )
   select (select count(*) from released)::int4 as released, (select count(*) from gone)::int4 as gone`,
);

/** Removes the executor and releases its runs; returns how many. Safe to repeat. */
export async function removeExecutor(db: Queryable, id: ExecutorId): Promise<number> {
  await db.query(resign, [id]);
  return readNumber(onlyRow(await db.query(leave, [id])), 'released');
}

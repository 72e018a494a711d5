// The ticks of schedules. A tick goes two ways: it is admitted to the backlog when it is due, by whoever moves the
// schedule's next tick on; and it leaves the backlog when its run is there. The run's id is made of name and tick, so starting it
// twice is no harm, and a process that dies in between leaves the tick in the backlog for another.

import type { RunId } from '../values/ids.js';
import { textArray, timestampArray } from './binary-arrays.js';
import { parseSchedule, scheduleColumns, type ScheduleRow } from './schedules.js';
import { findNumber, onlyRow, readNumber, statement, type Queryable } from './sql.js';

// Declared schedules are served by the processes that declare them, the others by every process.
const isServed = `(s.declared is null or s.name = any ($1::text[]))`;

// Index: schedules_due and schedules_backlog. The outer join answers in the same round trip when the next one is due.
const select = statement(
  'due_schedules',
  `with due as (
     select s.name from {schema}.schedules s
     where not s.is_paused and s.next_due_at <= now() and ${isServed}
     order by s.next_due_at
     limit $2::int4
   ), behind as (
     select s.name from {schema}.schedules s
     where not s.is_paused and s.backlog <> '{}' and ${isServed}
     order by s.name
     limit $2::int4
   ), next as (
     select min(s.next_due_at) as due_at from {schema}.schedules s
     where not s.is_paused and s.next_due_at > now() and ${isServed}
   ), found as (
     select ${scheduleColumns}
     from {schema}.schedules s
     where s.name in (select name from due union select name from behind)
   )
   select found.*, (extract(epoch from now()) * 1000)::float8 as now_ms,
          (extract(epoch from next.due_at - now()) * 1000)::float8 as next_due_in_ms
   from next left join found on true`,
);

/** What there is to do for a scheduler. */
export interface DueSchedules {
  readonly schedules: readonly ScheduleRow[];
  readonly nowMs: number;
  /** Until the next tick; undefined when none has a time. */
  readonly nextDueInMs: number | undefined;
}

/** The schedules that are due, and those with ticks to be started; up to `limit` of each. */
export async function selectDueSchedules(
  db: Queryable,
  declaredHere: readonly string[],
  limit: number,
): Promise<DueSchedules> {
  const rows = await db.query(select, [textArray(declaredHere), limit]);
  return {
    schedules: rows.filter((row) => row['name'] !== null).map(parseSchedule),
    nowMs: readNumber(onlyRow(rows), 'now_ms'),
    nextDueInMs: findNumber(onlyRow(rows), 'next_due_in_ms'),
  };
}

// The guard on next_due_at and revision makes one of all processes the one that decides what becomes of these ticks. With
// overlap "skip" they are skipped while a run is unfinished or about to be started; so are ticks beyond the longest backlog.
const admit = statement(
  'admit_ticks',
  `with decided as (
     select s.name,
            case
              when s.overlap = 'skip' and (s.backlog <> '{}' or exists (
                select from {schema}.runs r where r.id = any (s.active_ids) and r.finished_at is null)) then 0
              else greatest(0, least(cardinality($5::timestamptz[]), $6::int4 - cardinality(s.backlog)))
            end as room
     from {schema}.schedules s
     where s.name = $1 and s.revision = $2::int4 and s.next_due_at = ($3::timestamptz[])[1] and not s.is_paused
     for update
   )
   update {schema}.schedules s
   set next_due_at = ($3::timestamptz[])[2],
       last_due_at = ($4::timestamptz[])[1],
       backlog = s.backlog || ($5::timestamptz[])[1:d.room],
       skipped = s.skipped + cardinality($5::timestamptz[]) - d.room,
       last_skipped_at = case when d.room < cardinality($5::timestamptz[])
                              then ($5::timestamptz[])[cardinality($5::timestamptz[])] else s.last_skipped_at end
   from decided d
   where s.name = d.name
   returning ${scheduleColumns}`,
);

/** Ticks that have come, and the one that is next. */
export interface Advance {
  readonly dueAtMs: number;
  readonly nextDueAtMs: number | undefined;
  readonly lastDueAtMs: number;
  /** Those that are to be started, earliest first. */
  readonly ticksMs: readonly number[];
}

/** How many ticks of a schedule wait at most, other than by a backfill. */
export const longestBacklog = 1_000;

/** Moves a schedule on; finds nothing when somebody else has, or when it was changed or paused. */
export async function admitTicks(
  db: Queryable,
  { name, revision }: Pick<ScheduleRow, 'name' | 'revision'>,
  { dueAtMs, nextDueAtMs, lastDueAtMs, ticksMs }: Advance,
): Promise<ScheduleRow | undefined> {
  const [row] = await db.query(admit, [
    name,
    revision,
    timestampArray([dueAtMs, nextDueAtMs]),
    timestampArray([lastDueAtMs]),
    timestampArray(ticksMs),
    longestBacklog,
  ]);
  return row === undefined ? undefined : parseSchedule(row);
}

// Takes started ticks out of the backlog, and notes their runs where overlap matters. Safe to repeat.
const settle = statement(
  'settle_ticks',
  `update {schema}.schedules s
   set backlog = array(select b from unnest(s.backlog) with ordinality u (b, n) where b <> all ($2::timestamptz[]) order by n),
       active_ids = case when s.overlap = 'allow' then '{}' else array(
         select r.id from {schema}.runs r where r.id = any (s.active_ids || $3::text[]) and r.finished_at is null) end
   where s.name = $1
   returning 1`,
);

/** The runs of these ticks are there, or never will be. */
export async function settleTicks(
  db: Queryable,
  name: string,
  { ticksMs, runIds }: { readonly ticksMs: readonly number[]; readonly runIds: readonly RunId[] },
): Promise<void> {
  await db.query(settle, [name, timestampArray(ticksMs), textArray(runIds)]);
}

const append = statement(
  'append_ticks',
  `update {schema}.schedules s
   set backlog = s.backlog || array(
     select b from unnest($2::timestamptz[]) with ordinality u (b, n) where b <> all (s.backlog) order by n)
   where s.name = $1
   returning 1`,
);

/** Puts ticks into the backlog that are not there; false when there is no such schedule. */
export async function appendTicks(db: Queryable, name: string, ticksMs: readonly number[]): Promise<boolean> {
  return (await db.query(append, [name, timestampArray(ticksMs)])).length > 0;
}

// Rows of schedules: declaring, creating, changing, pausing, deleting and reading them. Their ticks are in schedule-ticks.ts.

import type { RunId } from '../values/ids.js';
import { textArray, timestampArray } from './binary-arrays.js';
import {
  findNumber,
  findText,
  readBoolean,
  readNumber,
  readText,
  readTexts,
  statement,
  type Queryable,
  type Row,
} from './sql.js';

/** What becomes of a tick while an earlier run of the schedule is unfinished. */
export type Overlap = 'skip' | 'queue' | 'allow';

/** What is set about a schedule, in stored form. */
export interface ScheduleSettings {
  readonly name: string;
  readonly workflow: string;
  readonly version: string;
  readonly cron: string | undefined;
  readonly timeZone: string | undefined;
  readonly everyMs: number | undefined;
  /** Tagged JSON. */
  readonly input: string;
  /** JSON object. */
  readonly startOptions: string;
  readonly overlap: Overlap;
  /** How many missed ticks are made up for; undefined for all. */
  readonly catchUp: number | undefined;
}

/** A schedule as it stands. */
export interface ScheduleRow extends ScheduleSettings {
  /** As code last declared it; undefined when it was created at run time. */
  readonly declared: string | undefined;
  readonly revision: number;
  readonly isPaused: boolean;
  readonly nextDueAtMs: number | undefined;
  readonly lastDueAtMs: number | undefined;
  readonly backlogMs: readonly number[];
  /** Those of its runs that are unfinished. Kept only where overlap matters. */
  readonly activeIds: readonly RunId[];
  readonly skipped: number;
  readonly lastSkippedAtMs: number | undefined;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** The columns of a schedule `s`, as `parseSchedule` reads them. */
export const scheduleColumns = `s.name, s.workflow, s.version, s.cron, s.time_zone, s.every_ms::float8 as every_ms, s.input, s.start_options,
          s.overlap, s.catch_up, s.declared, s.revision, s.is_paused, s.skipped::float8 as skipped,
          (extract(epoch from s.next_due_at) * 1000)::float8 as next_due_at_ms,
          (extract(epoch from s.last_due_at) * 1000)::float8 as last_due_at_ms,
          (extract(epoch from s.last_skipped_at) * 1000)::float8 as last_skipped_at_ms,
          (extract(epoch from s.created_at) * 1000)::float8 as created_at_ms,
          (extract(epoch from s.updated_at) * 1000)::float8 as updated_at_ms,
          array(select (extract(epoch from b) * 1000)::float8 from unnest(s.backlog) b) as backlog_ms,
          array(select r.id from {schema}.runs r where r.id = any (s.active_ids) and r.finished_at is null) as unfinished_ids`;

// Index: primary key.
const selectByName = statement(
  'select_schedules',
  `select ${scheduleColumns}
   from {schema}.schedules s
   where $1::text[] is null or s.name = any ($1::text[])
   order by s.name`,
);

/** Reads schedules by name, or all of them. */
export async function selectSchedules(db: Queryable, names?: readonly string[]): Promise<readonly ScheduleRow[]> {
  return (await db.query(selectByName, [names === undefined ? null : textArray(names)])).map(parseSchedule);
}

const newRow = `insert into {schema}.schedules as s
     (name, workflow, version, cron, time_zone, every_ms, input, start_options, overlap, catch_up, next_due_at, declared)
   values ($1, $2, $3, $4, $5, $6::int8, $7, $8, $9, $10::int4, ($11::timestamptz[])[1], $12)`;

const insertNew = statement('insert_schedule', `${newRow} on conflict (name) do nothing returning 1`);

/** What is written about a schedule. */
export interface ScheduleWrite extends ScheduleSettings {
  /** The first tick by its rule from now on. */
  readonly nextDueAtMs: number | undefined;
  readonly declared: string | undefined;
}

/** Creates a schedule; false when there is one of the name. */
export async function insertSchedule(db: Queryable, schedule: ScheduleWrite): Promise<boolean> {
  return (await db.query(insertNew, toValues(schedule))).length > 0;
}

const settings = `workflow = $2, version = $3, cron = $4, time_zone = $5, every_ms = $6::int8, input = $7, start_options = $8,
       overlap = $9, catch_up = $10::int4, revision = s.revision + 1, updated_at = now(),
       next_due_at = case when (s.cron, s.time_zone, s.every_ms) is distinct from ($4, $5, $6::int8)
                          then ($11::timestamptz[])[1] else s.next_due_at end`;

// Of several processes that launch at once with the same declaration, one writes. Pause, ticks and backlog stay; only
// another rule has another next tick.
const declare = statement(
  'declare_schedule',
  `${newRow}
   on conflict (name) do update set ${settings}, declared = $12
   where s.declared is distinct from $12
   returning 1`,
);

/** Applies a declaration if it is not the one that was applied last. */
export async function declareSchedule(db: Queryable, schedule: ScheduleWrite): Promise<void> {
  await db.query(declare, toValues(schedule));
}

const update = statement(
  'update_schedule',
  `update {schema}.schedules s set ${settings}
   where s.name = $1
   returning 1`,
);

/** Changes a schedule; false when there is none of the name. What code declared last stays noted. */
export async function updateSchedule(db: Queryable, schedule: Omit<ScheduleWrite, 'declared'>): Promise<boolean> {
  return (await db.query(update, toValues(schedule).slice(0, 11))).length > 0;
}

const deleteByName = statement('delete_schedule', 'delete from {schema}.schedules where name = $1 returning 1');

/** Deletes a schedule; false when there is none of the name. Its runs stay. */
export async function deleteSchedule(db: Queryable, name: string): Promise<boolean> {
  return (await db.query(deleteByName, [name])).length > 0;
}

const pause = statement(
  'pause_schedule',
  `update {schema}.schedules set is_paused = true, updated_at = now() where name = $1 returning 1`,
);

/** Pauses a schedule; false when there is none of the name. Safe to repeat. */
export async function pauseSchedule(db: Queryable, name: string): Promise<boolean> {
  return (await db.query(pause, [name])).length > 0;
}

// A schedule that is not paused keeps its next tick: it may be due at this moment. The revision guards the tick, which was
// computed from the rule.
const resume = statement(
  'resume_schedule',
  `update {schema}.schedules s
   set is_paused = false, updated_at = now(),
       next_due_at = case when s.is_paused then ($3::timestamptz[])[1] else s.next_due_at end
   where s.name = $1 and s.revision = $2::int4
   returning 1`,
);

/** Has a paused schedule go on with the given tick; false when it has changed meanwhile. */
export async function resumeSchedule(
  db: Queryable,
  { name, revision }: Pick<ScheduleRow, 'name' | 'revision'>,
  nextDueAtMs: number | undefined,
): Promise<boolean> {
  return (await db.query(resume, [name, revision, timestampArray([nextDueAtMs])])).length > 0;
}

/** Reads a row of `scheduleColumns`. */
export function parseSchedule(row: Row): ScheduleRow {
  return {
    name: readText(row, 'name'),
    workflow: readText(row, 'workflow'),
    version: readText(row, 'version'),
    cron: findText(row, 'cron'),
    timeZone: findText(row, 'time_zone'),
    everyMs: findNumber(row, 'every_ms'),
    input: readText(row, 'input'),
    startOptions: readText(row, 'start_options'),
    overlap: parseOverlap(readText(row, 'overlap')),
    catchUp: findNumber(row, 'catch_up'),
    declared: findText(row, 'declared'),
    revision: readNumber(row, 'revision'),
    isPaused: readBoolean(row, 'is_paused'),
    nextDueAtMs: findNumber(row, 'next_due_at_ms'),
    lastDueAtMs: findNumber(row, 'last_due_at_ms'),
    backlogMs: readTexts(row, 'backlog_ms').map(Number),
    activeIds: readTexts(row, 'unfinished_ids').map((id) => id as RunId),
    skipped: readNumber(row, 'skipped'),
    lastSkippedAtMs: findNumber(row, 'last_skipped_at_ms'),
    createdAtMs: readNumber(row, 'created_at_ms'),
    updatedAtMs: readNumber(row, 'updated_at_ms'),
  };
}

function parseOverlap(text: string): Overlap {
  return text === 'queue' || text === 'allow' ? text : 'skip';
}

function toValues(
  schedule: Omit<ScheduleWrite, 'declared'> & { readonly declared?: string | undefined },
): readonly unknown[] {
  return [
    schedule.name,
    schedule.workflow,
    schedule.version,
    schedule.cron ?? null,
    schedule.timeZone ?? null,
    schedule.everyMs ?? null,
    schedule.input,
    schedule.startOptions,
    schedule.overlap,
    schedule.catchUp ?? null,
    timestampArray([schedule.nextDueAtMs]),
    schedule.declared ?? null,
  ];
}

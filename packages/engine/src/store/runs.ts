// Rows of runs outside the hot path: reading them, parking and releasing them, cancelling and resuming them. Each write
// guards the state that it expects and returns the rows that it changed.

import type { ExecutorId, RunId } from '../values/ids.js';
import { findStatus, transitions, type RunStatus, type Transition } from '../values/status.js';
import { int4Array, textArray, timestampArray } from './binary-arrays.js';
import { parseAttributes } from './queues.js';
import { findNumber, findText, readBoolean, readNumber, readText, statement, type Queryable, type Row } from './sql.js';

/** A run without its payloads. */
export interface RunFacts {
  readonly id: RunId;
  readonly workflow: string;
  readonly version: string;
  readonly status: RunStatus;
  readonly executor: string | undefined;
  readonly epoch: number;
  readonly parentId: string | undefined;
  readonly queue: string | undefined;
  readonly recoveries: number;
  readonly attributes: Readonly<Record<string, unknown>> | undefined;
  readonly createdAtMs: number;
  readonly startedAtMs: number | undefined;
  readonly finishedAtMs: number | undefined;
  readonly dueAtMs: number | undefined;
  readonly deadlineAtMs: number | undefined;
}

/** A run as it stands in the database. */
export interface RunRow extends RunFacts {
  readonly input: string;
  readonly output: string | undefined;
  readonly error: string | undefined;
}

/** What `parseFacts` reads of runs. */
export const factColumns = `id, workflow, version, status, executor::text as executor, epoch, parent_id, queue, recoveries, attributes,
          (extract(epoch from created_at) * 1000)::float8 as created_at_ms,
          (extract(epoch from started_at) * 1000)::float8 as started_at_ms,
          (extract(epoch from finished_at) * 1000)::float8 as finished_at_ms,
          (extract(epoch from due_at) * 1000)::float8 as due_at_ms,
          (extract(epoch from deadline_at) * 1000)::float8 as deadline_at_ms`;

/** The states that a transition may start from, as an SQL list: the table in values/status.ts is the only source. */
export const from = (transition: Transition): string => transitions[transition].from.map((s) => `'${s}'`).join(', ');

// Index: primary key.
const selectRuns = statement(
  'select_runs',
  `select ${factColumns},
          input, output, error
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
  /** Topics whose messages wake it. */
  readonly topics?: readonly string[] | undefined;
}

// `owner`, `status || ''`: see batch-statements.ts. A wake-up that came since the claim has set due_at on the running row: then the run is due at once.
// So it is when a message is there that came before the claim and has not been seen yet. Who is handed over without a record
// has not got further: the deaths of its owners still count. The topics of a run travel as lines of one text: names have no control characters.
const park = statement(
  'park_runs',
  `with owner as materialized (
     select 1 from {schema}.executors where id = $4::uuid and dead_at is null for key share
   )
   update {schema}.runs r
   set status = 'waiting', executor = null, waits_for = string_to_array(p.topics, e'\\n'),
       crashes = case when r.crashes > 0 and p.due_at < now() + interval '1 second' and r.epoch is distinct from (
                             select s.epoch from {schema}.steps s where s.run_id = r.id order by s.seq desc limit 1)
                      then r.crashes else 0 end,
       slot = case when exists (select from {schema}.queues q where q.name = r.queue and q.releases_while_waiting)
                   then 'needed' else r.slot end,
       due_at = case
         when r.due_at is not null then now()
         when exists (
           select from {schema}.messages m
           where m.run_id = p.id and m.topic = any (string_to_array(p.topics, e'\\n')) and m.received_seq is null) then now()
         else p.due_at
       end
   from unnest($1::text[], $2::int4[], $3::timestamptz[], $5::text[]) p (id, epoch, due_at, topics)
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
    textArray(rows.map(({ topics = [] }) => (topics.length === 0 ? undefined : topics.join('\n')))),
  ]);
  return new Map(answer.map((row) => [readText(row, 'id'), { isDue: readBoolean(row, 'is_due') }]));
}

// The history stays, so the run goes on behind its last recorded step; its outcome and crash count start anew. In a queue
// it gets in line again at its old place, without its dedup key if another run has that by now.
const resume = statement(
  'resume_runs',
  `update {schema}.runs
   set status = 'queued', epoch = epoch + 1, executor = null, due_at = now(), finished_at = null, output = null, error = null,
       recoveries = 0, crashes = 0, deadline_at = null, accepts_new_steps = $2::boolean,
       slot = case when queue is not null then 'ready' end,
       dedup_key = case when not exists (
         select from {schema}.runs other
         where other.queue = runs.queue and other.dedup_key = runs.dedup_key and other.status in ('queued', 'running', 'waiting', 'paused')
           and other.id <> runs.id) then dedup_key end
   where id = any ($1::text[]) and status in (${from('resume')})
     and not exists (
       select from unnest($1::text[]) asked (id)
       where not exists (select from {schema}.runs known where known.id = asked.id))
   returning id`,
);

/** Makes paused, failed or cancelled runs claimable again; returns those that were. If one of them does not exist, none is. */
export async function resumeRuns(
  db: Queryable,
  ids: readonly RunId[],
  acceptNewSteps: boolean,
): Promise<readonly string[]> {
  return (await db.query(resume, [textArray(ids), acceptNewSteps])).map((row) => readText(row, 'id'));
}

function parseRun(row: Row): RunRow {
  return {
    ...parseFacts(row),
    input: readText(row, 'input'),
    output: findText(row, 'output'),
    error: findText(row, 'error'),
  };
}

/** Reads the columns `factColumns`. */
export function parseFacts(row: Row): RunFacts {
  return {
    id: readText(row, 'id') as RunId,
    workflow: readText(row, 'workflow'),
    version: readText(row, 'version'),
    status: findStatus(readText(row, 'status')) ?? 'paused',
    executor: findText(row, 'executor'),
    epoch: readNumber(row, 'epoch'),
    parentId: findText(row, 'parent_id'),
    queue: findText(row, 'queue'),
    recoveries: readNumber(row, 'recoveries'),
    attributes: parseAttributes(row['attributes']),
    createdAtMs: readNumber(row, 'created_at_ms'),
    startedAtMs: findNumber(row, 'started_at_ms'),
    finishedAtMs: findNumber(row, 'finished_at_ms'),
    dueAtMs: findNumber(row, 'due_at_ms'),
    deadlineAtMs: findNumber(row, 'deadline_at_ms'),
  };
}

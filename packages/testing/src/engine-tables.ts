// What the engine's own tables tell a test: what goes on, what is due next, which engines live. The only place outside of the
// engine that reads its tables, and it ends executors there; everything else goes through the engine's api.

import { escapeIdentifier } from 'pg';
import type { Connection } from './connection.js';

/** What goes on in a database, by its own time. */
export interface Activity {
  /** Runs that execute or are about to, queues that let one go, schedules about to start one; each with what changes when it goes on. */
  readonly busy: readonly string[];
  /** When something becomes due by itself, in epoch milliseconds. */
  readonly nextDueMs: number | undefined;
  /** Some process awaits the result of an unfinished run. */
  readonly isAwaited: boolean;
  /** Changes with every claim and every end of a run. */
  readonly signature: string;
}

// A run in line in a queue is busy as long as the queue's limits let one of its key go. That is an estimate: who is wrong about it
// waits for its patience to end, no more.
const activity = `
with live as materialized (
  select workflows from {schema}.executors where dead_at is null
), unfinished as (
  select r.*, case when r.version = '' then r.workflow else r.workflow || '@' || r.version end as host_key
  from {schema}.runs r where r.status in ('queued', 'running', 'waiting')
), busy as (
  select u.id || ' ' || u.epoch as key from unfinished u
  where exists (select from live) and u.status = 'running'
     or u.status <> 'running' and u.slot is distinct from 'ready' and u.due_at <= now()
        and exists (select from live l where u.host_key = any (l.workflows))
  union all
  select 'schedule ' || s.name || ' ' || coalesce(s.next_due_at::text, '') from {schema}.schedules s
  where exists (select from live) and not s.is_paused and (s.next_due_at <= now() or s.backlog <> '{}' and not exists (
    select from {schema}.runs r where r.id = any (s.active_ids) and r.finished_at is null))
  union all
  select 'queue ' || u.queue || ' ' || coalesce(u.partition_key, '') || ' ' || count(*) from unfinished u
  join {schema}.queues q on q.name = u.queue
  cross join lateral (
    select count(*) as runs, count(*) filter (where h.partition_key is not distinct from u.partition_key) as of_key
    from unfinished h where h.queue = q.name and h.slot = 'held'
  ) held
  cross join lateral (
    select coalesce(sum(a.runs), 0) as runs from {schema}.queue_admissions a
    where a.queue = q.name and a.admitted_at > now() - q.rate_per_ms * interval '1 millisecond'
      and a.partition_key = case when q.is_rate_per_key then coalesce(u.partition_key, '') else '' end
  ) admitted
  where u.slot = 'ready' and not q.is_paused and exists (select from live l where u.host_key = any (l.workflows))
    and (q.concurrency is null or held.runs < q.concurrency)
    and (q.executor_concurrency is null or held.runs < q.executor_concurrency * (select count(*) from live))
    and (q.key_concurrency is null or held.of_key < q.key_concurrency)
    and (q.rate_limit is null or admitted.runs < q.rate_limit)
  group by u.queue, u.partition_key
), due as (
  select due_at as at from unfinished where status <> 'running' and slot is distinct from 'ready'
  union all
  select deadline_at from unfinished where status = 'running'
  union all
  select next_due_at from {schema}.schedules where not is_paused
  union all
  select a.admitted_at + q.rate_per_ms * interval '1 millisecond'
  from {schema}.queue_admissions a join {schema}.queues q on q.name = a.queue
  where exists (select from unfinished u where u.queue = q.name and u.slot = 'ready')
)
select array(select key from busy limit 100) as busy,
       (select ceil(extract(epoch from min(at)) * 1000)::float8 from due where at > now()) as next_due_ms,
       exists (select from unfinished where is_watched) as is_awaited,
       (select concat(count(*), ' ', sum(epoch), ' ', count(finished_at)) from {schema}.runs) as signature
`;

const announce = `select pg_notify($1, '{"beat":true}'), pg_catalog.clock_timestamp()::text as at`;

const silent = `
select id::text as id from {schema}.executors
where dead_at is null and heartbeat_at < $1::timestamptz and id::text <> all ($2::text[])
`;

// For update, as a takeover does it: waits for a batch that is being written, and lets no other begin.
const bury = `
with self as (
  select id from {schema}.executors where id::text = $1 for update
)
update {schema}.executors e set dead_at = pg_catalog.now() from self where e.id = self.id and e.dead_at is null
`;

const left = `select count(*)::int4 as runs from {schema}.runs where status = 'running' and executor::text = $1`;
const owner = `select executor::text as id from {schema}.runs where id = $1 and status = 'running'`;
const attempts = `
select name, occurrence, count(*)::int4 as failed from {schema}.step_attempts where run_id = $1 group by name, occurrence
`;

/** The engine's tables in one schema, over one connection. */
export class EngineTables {
  readonly #connection: Connection;
  readonly #schema: string;

  constructor(connection: Connection, schema: string) {
    this.#connection = connection;
    this.#schema = schema;
  }

  async look(): Promise<Activity> {
    type Row = { busy: string[]; next_due_ms: number | null; is_awaited: boolean; signature: string };
    const [row] = await this.#query<Row>(activity);
    if (row === undefined) throw new Error('a statement that always has a row had none');
    const { busy, next_due_ms: nextDueMs, is_awaited: isAwaited, signature } = row;
    return { busy, nextDueMs: nextDueMs ?? undefined, isAwaited, signature };
  }

  /** Asks all engines that listen for a sign of life, which brings them news; returns when that was, by the real time. */
  async askForLife(): Promise<string> {
    // The engine's channel: its name is part of what engines of all releases agree on.
    const [row] = await this.#query<{ at: string }>(announce, [`perdure_${this.#schema}`]);
    return row?.at ?? '';
  }

  /** The ids of engines that have given no sign of life since, but for the excepted. */
  async silentSince(at: string, except: readonly string[]): Promise<readonly string[]> {
    return (await this.#query<{ id: string }>(silent, [at, except])).map(({ id }) => id);
  }

  /** Declares an engine's executor dead: it can write nothing any more. */
  async bury(executor: string): Promise<void> {
    await this.#query(bury, [executor]);
  }

  /** How many runs a dead executor still has. */
  async countRunsOf(executor: string): Promise<number> {
    return (await this.#query<{ runs: number }>(left, [executor]))[0]?.runs ?? 0;
  }

  /** Who executes a run. */
  async findOwner(runId: string): Promise<string | undefined> {
    return (await this.#query<{ id: string }>(owner, [runId]))[0]?.id;
  }

  /** Failed attempts of the steps of a run, by `name occurrence`. */
  async countFailedAttempts(runId: string): Promise<ReadonlyMap<string, number>> {
    type Row = { name: string; occurrence: number; failed: number };
    const rows = await this.#query<Row>(attempts, [runId]);
    return new Map(rows.map(({ name, occurrence, failed }) => [`${name} ${occurrence}`, failed]));
  }

  async #query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    const quoted = escapeIdentifier(this.#schema);
    return (
      await this.#connection.query<Row>(
        text.replaceAll('{schema}', () => quoted),
        [...values],
      )
    ).rows;
  }
}

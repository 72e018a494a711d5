// Generated from migrations/*.sql by scripts/build-migrations.mjs. Edit those files and run `npm run migrations`.
// {schema} stands for the schema's name.
export const migrations: readonly { readonly id: number; readonly name: string; readonly sql: string }[] = [
  {
    id: 1,
    name: 'core',
    sql: `-- Runs, their steps, and the executors that own them. Creates new objects only; locks nothing that exists.

create table {schema}.executors (
  id uuid primary key,
  host text not null,
  pid int not null,
  workflows text[] not null default '{}',
  lease_ms int not null check (lease_ms > 0),
  started_at timestamptz not null default now(),
  heartbeat_at timestamptz not null default now(),
  dead_at timestamptz,
  interrupted_runs text[] not null default '{}'
) with (fillfactor = 50);

comment on table {schema}.executors is 'One row per engine instance in one process. Batches of an executor lock its row for key share; declaring it dead locks it for update.';
comment on column {schema}.executors.id is 'A UUIDv7, never configured and never reused.';
comment on column {schema}.executors.host is 'Host name of the process, for people.';
comment on column {schema}.executors.pid is 'Process id, for people.';
comment on column {schema}.executors.workflows is 'What it hosts: name, or name@version. Tells which runs nobody can claim.';
comment on column {schema}.executors.lease_ms is 'How long after its last heartbeat it may be declared dead.';
comment on column {schema}.executors.started_at is 'When it was launched.';
comment on column {schema}.executors.heartbeat_at is 'Its last sign of life, by the clock of the database.';
comment on column {schema}.executors.dead_at is 'Set once when it is declared dead: from then on it can write nothing.';
comment on column {schema}.executors.interrupted_runs is 'Runs it owned that were cancelled or paused by others, each as epoch and id; read and emptied by its next heartbeat.';

create table {schema}.runs (
  id text collate "C" primary key,
  workflow text not null,
  version text not null default '',
  status text not null check (status in ('queued', 'running', 'waiting', 'paused', 'succeeded', 'failed', 'cancelled')),
  executor uuid,
  epoch int not null default 0,
  due_at timestamptz,
  input text not null,
  output text,
  error text,
  recoveries int not null default 0,
  accepts_new_steps boolean not null default false,
  timeout_ms bigint,
  deadline_at timestamptz,
  parent_id text collate "C",
  awaited_by text[],
  is_watched boolean not null default false,
  attributes jsonb,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  constraint runs_owned_while_running check (status <> 'running' or executor is not null),
  constraint runs_finished_when_final check ((status in ('succeeded', 'failed', 'cancelled')) = (finished_at is not null))
) with (fillfactor = 70);

-- The claim rides this one: new work, timers, wake-ups and recovered runs, earliest first.
create index runs_due on {schema}.runs (due_at) where status in ('queued', 'waiting');
-- Takeover finds the runs of a dead executor.
create index runs_owned on {schema}.runs (executor) where status = 'running';
-- Cancelling a run with its children.
create index runs_children on {schema}.runs (parent_id) where parent_id is not null;

comment on table {schema}.runs is 'One row per execution of a workflow.';
comment on column {schema}.runs.id is 'Chosen by the caller, or a UUIDv7.';
comment on column {schema}.runs.workflow is 'Name of the workflow.';
comment on column {schema}.runs.version is 'Version of the workflow that started it; empty when the workflow has none.';
comment on column {schema}.runs.status is 'See the state machine in ARCHITECTURE.md.';
comment on column {schema}.runs.executor is 'Who runs it, or ran it last.';
comment on column {schema}.runs.epoch is 'Counts the claims; every write of an owner carries it.';
comment on column {schema}.runs.due_at is 'queued or waiting: when it may be claimed, null for not before a wake-up. running: set when a wake-up arrived since the claim.';
comment on column {schema}.runs.input is 'Tagged JSON.';
comment on column {schema}.runs.output is 'Tagged JSON of the result, once succeeded.';
comment on column {schema}.runs.error is 'Tagged JSON of the error, once failed or cancelled, or why it was paused.';
comment on column {schema}.runs.recoveries is 'How often its owner died; past the limit the run fails with RUN_CRASH_LIMIT.';
comment on column {schema}.runs.accepts_new_steps is 'Resumed after NONDETERMINISM with leave to execute steps that its history lacks.';
comment on column {schema}.runs.timeout_ms is 'Turned into deadline_at when execution starts.';
comment on column {schema}.runs.deadline_at is 'When the run is cancelled with RUN_TIMED_OUT.';
comment on column {schema}.runs.parent_id is 'The run that started it.';
comment on column {schema}.runs.awaited_by is 'Parked runs to wake when this one finishes.';
comment on column {schema}.runs.is_watched is 'Some process waits for the outcome and wants to be notified.';
comment on column {schema}.runs.attributes is 'Searchable facts given at the start.';
comment on column {schema}.runs.created_at is 'When it was started by its caller.';
comment on column {schema}.runs.started_at is 'When it was first claimed.';
comment on column {schema}.runs.finished_at is 'When it got its outcome.';

create table {schema}.steps (
  run_id text collate "C" not null,
  seq int not null,
  name text not null,
  occurrence int not null,
  kind text not null,
  epoch int not null,
  output text,
  error text,
  child_id text,
  started_at timestamptz not null,
  finished_at timestamptz not null,
  primary key (run_id, seq)
);

comment on table {schema}.steps is 'The history of a run: one row per recorded operation, in the order in which results reached its code.';
comment on column {schema}.steps.run_id is 'The run.';
comment on column {schema}.steps.seq is 'Position in the order of delivery, from 1.';
comment on column {schema}.steps.name is 'Name of the step.';
comment on column {schema}.steps.occurrence is 'The how-manieth call of that name, from 1. Name and occurrence identify the step.';
comment on column {schema}.steps.kind is 'step, sleep, child, start, result or patch.';
comment on column {schema}.steps.epoch is 'The claim under which it was recorded.';
comment on column {schema}.steps.output is 'Tagged JSON of the result.';
comment on column {schema}.steps.error is 'Tagged JSON of the error that it threw.';
comment on column {schema}.steps.child_id is 'The run that it started or awaited.';
comment on column {schema}.steps.started_at is 'When it was called.';
comment on column {schema}.steps.finished_at is 'When its result was delivered; also what now() returns after it.';

create table {schema}.step_attempts (
  run_id text collate "C" not null,
  name text not null,
  occurrence int not null,
  attempt int not null,
  error text not null,
  failed_at timestamptz not null,
  next_at timestamptz not null,
  primary key (run_id, name, occurrence, attempt)
);

comment on table {schema}.step_attempts is 'Failed attempts of steps that are tried again: they survive a crash.';
comment on column {schema}.step_attempts.run_id is 'The run.';
comment on column {schema}.step_attempts.name is 'Name of the step.';
comment on column {schema}.step_attempts.occurrence is 'Its occurrence.';
comment on column {schema}.step_attempts.attempt is 'Which attempt failed, from 1.';
comment on column {schema}.step_attempts.error is 'Tagged JSON of what it threw.';
comment on column {schema}.step_attempts.failed_at is 'When it failed.';
comment on column {schema}.step_attempts.next_at is 'When the next attempt is due.';
`,
  },
  {
    id: 2,
    name: 'messages_events_streams',
    sql: `-- Messages, events and streams. Creates new objects, and adds a nullable column to runs: a short exclusive lock, no rewrite.

alter table {schema}.runs add column waits_for text[];

comment on column {schema}.runs.waits_for is 'Topics whose messages wake the parked run.';

create table {schema}.messages (
  run_id text collate "C" not null,
  id bigint generated always as identity,
  topic text not null,
  body text not null,
  dedup_key text,
  received_seq int,
  sent_at timestamptz not null default now(),
  primary key (run_id, id)
);

-- A receiver looks for the oldest unreceived message of a topic.
create index messages_unreceived on {schema}.messages (run_id, topic, id) where received_seq is null;
-- The same key to the same run is one message, also after it was received.
create unique index messages_dedup on {schema}.messages (run_id, dedup_key) where dedup_key is not null;

comment on table {schema}.messages is 'What was sent to runs, in the order of id for each run and topic.';
comment on column {schema}.messages.run_id is 'The run it is for.';
comment on column {schema}.messages.id is 'Order of sending.';
comment on column {schema}.messages.topic is 'Name of the topic.';
comment on column {schema}.messages.body is 'Tagged JSON.';
comment on column {schema}.messages.dedup_key is 'Chosen by the sender, or derived from the step that sent it.';
comment on column {schema}.messages.received_seq is 'The step of the run that received it.';
comment on column {schema}.messages.sent_at is 'When it was sent.';

create table {schema}.events (
  run_id text collate "C" not null,
  key text not null,
  value text not null,
  set_at timestamptz not null default now(),
  primary key (run_id, key)
);

comment on table {schema}.events is 'The current values that runs publish.';
comment on column {schema}.events.run_id is 'The run that published it.';
comment on column {schema}.events.key is 'Name of the event.';
comment on column {schema}.events.value is 'Tagged JSON.';
comment on column {schema}.events.set_at is 'When it was last set.';

create table {schema}.event_history (
  run_id text collate "C" not null,
  seq int not null,
  key text not null,
  value text not null,
  set_at timestamptz not null default now(),
  id bigint generated always as identity,
  primary key (run_id, seq, id)
);

comment on table {schema}.event_history is 'Every value an event has had, so that a fork can begin with those of its step.';
comment on column {schema}.event_history.run_id is 'The run that published it.';
comment on column {schema}.event_history.seq is 'The step that set it, or the last step delivered before one that is executing set it.';
comment on column {schema}.event_history.key is 'Name of the event.';
comment on column {schema}.event_history.value is 'Tagged JSON.';
comment on column {schema}.event_history.set_at is 'When it was set.';
comment on column {schema}.event_history.id is 'Order of setting.';

create table {schema}.stream_chunks (
  run_id text collate "C" not null,
  stream text not null,
  position int not null,
  seq int not null,
  value text,
  written_at timestamptz not null default now(),
  primary key (run_id, stream, position)
);

comment on table {schema}.stream_chunks is 'The logs that runs append to.';
comment on column {schema}.stream_chunks.run_id is 'The run that wrote it.';
comment on column {schema}.stream_chunks.stream is 'Name of the stream.';
comment on column {schema}.stream_chunks.position is 'Place in the stream, from 0.';
comment on column {schema}.stream_chunks.seq is 'The step that wrote it, or the last step delivered before one that is executing wrote it.';
comment on column {schema}.stream_chunks.value is 'Tagged JSON; null closes the stream, which no value can imitate.';
comment on column {schema}.stream_chunks.written_at is 'When it was written.';
`,
  },
  {
    id: 3,
    name: 'queues',
    sql: `-- Queues. Adds columns without rewriting runs and executors: a short exclusive lock on each. Builds four indexes on runs, which are empty
-- until runs are started in queues, and replaces runs_due by one without the runs that stand in a queue: runs is locked against
-- writes while it is scanned for that.

create table {schema}.queues (
  name text collate "C" primary key,
  concurrency int check (concurrency > 0),
  executor_concurrency int check (executor_concurrency > 0),
  key_concurrency int check (key_concurrency > 0),
  rate_limit int check (rate_limit > 0),
  rate_per_ms bigint check (rate_per_ms > 0),
  is_rate_per_key boolean not null default false,
  releases_while_waiting boolean not null default false,
  is_paused boolean not null default false,
  declared text,
  claims bigint not null default 0,
  is_limited boolean not null
    generated always as (concurrency is not null or key_concurrency is not null or rate_limit is not null) stored,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint queues_rate_whole check ((rate_limit is null) = (rate_per_ms is null))
) with (fillfactor = 50);

comment on table {schema}.queues is 'Admission: how many of the runs started in a queue may be under way.';
comment on column {schema}.queues.name is 'Name of the queue.';
comment on column {schema}.queues.concurrency is 'Runs under way at once over all processes; null for no limit.';
comment on column {schema}.queues.executor_concurrency is 'Runs in the memory of one executor; null for no limit.';
comment on column {schema}.queues.key_concurrency is 'Runs of one partition key under way at once; null for no limit.';
comment on column {schema}.queues.rate_limit is 'Admissions in any window of rate_per_ms; null for no limit.';
comment on column {schema}.queues.rate_per_ms is 'Length of the window.';
comment on column {schema}.queues.is_rate_per_key is 'The rate counts for each partition key by itself.';
comment on column {schema}.queues.releases_while_waiting is 'A parked run gives its slot back and gets in line again when it is due.';
comment on column {schema}.queues.is_paused is 'Nothing is admitted; what is under way goes on.';
comment on column {schema}.queues.declared is 'Limits as the code last declared them. Another declaration is applied; the same one leaves changes made at run time.';
comment on column {schema}.queues.claims is 'Counts the claims of a limited queue, so that a claim notices that what it sees is out of date.';
comment on column {schema}.queues.is_limited is 'Claims must count, one after the other.';
comment on column {schema}.queues.created_at is 'When it was first declared.';
comment on column {schema}.queues.updated_at is 'When limits or pause were last changed.';

create table {schema}.queue_admissions (
  queue text collate "C" not null,
  partition_key text collate "C" not null,
  admitted_at timestamptz not null,
  runs int not null check (runs > 0)
);

-- Counting the admissions in a window, and forgetting those before it.
create index queue_admissions_window on {schema}.queue_admissions (queue, partition_key, admitted_at);

comment on table {schema}.queue_admissions is 'Admissions to queues with a rate limit, as long as they count.';
comment on column {schema}.queue_admissions.queue is 'The queue.';
comment on column {schema}.queue_admissions.partition_key is 'The key, empty when the rate is that of the whole queue.';
comment on column {schema}.queue_admissions.admitted_at is 'When, by the clock of the database.';
comment on column {schema}.queue_admissions.runs is 'How many at that moment.';

-- Order of start of the runs in queues. A bulk takes one number for all of its runs.
create sequence {schema}.queue_positions;

alter table {schema}.runs
  add column queue text collate "C",
  add column partition_key text collate "C",
  add column priority int,
  add column queue_position bigint,
  add column dedup_key text,
  add column slot text check (slot in ('needed', 'ready', 'held'));

comment on column {schema}.runs.queue is 'The queue that it was started in.';
comment on column {schema}.runs.partition_key is 'Keys of one queue take turns and may have limits each; empty for none.';
comment on column {schema}.runs.priority is 'Lower first, among the runs of one key.';
comment on column {schema}.runs.queue_position is 'Order of start among runs of one priority.';
comment on column {schema}.runs.dedup_key is 'Unique among the unfinished runs of a queue.';
comment on column {schema}.runs.slot is 'In a queue: needed once it is due, ready to be admitted, or held, which counts against the limits while running or waiting.';

alter table {schema}.executors add column queues text[];

comment on column {schema}.executors.queues is 'The queues that it serves; null for all.';

drop index {schema}.runs_due;
-- The claim rides this one: new work without a queue, timers, wake-ups and recovered runs, earliest first.
create index runs_due on {schema}.runs (due_at) where status in ('queued', 'waiting') and (slot is null or slot = 'held');
-- Delayed runs of queues get in line when they are due, and not before: nothing has to walk over them.
create index runs_delayed on {schema}.runs (due_at) where status in ('queued', 'waiting') and slot = 'needed';
-- The line of each queue, key by key.
create index runs_ready on {schema}.runs (queue, partition_key, priority, queue_position)
  where status in ('queued', 'waiting') and slot = 'ready';
-- Counting what is under way.
create index runs_held on {schema}.runs (queue, partition_key) where status in ('running', 'waiting') and slot = 'held';
create unique index runs_dedup on {schema}.runs (queue, dedup_key)
  where dedup_key is not null and status in ('queued', 'running', 'waiting', 'paused');
`,
  },
  {
    id: 4,
    name: 'schedules',
    sql: `-- Schedules. Creates new objects only; locks nothing that exists.

create table {schema}.schedules (
  name text collate "C" primary key,
  workflow text not null,
  version text not null default '',
  cron text,
  time_zone text,
  every_ms bigint check (every_ms >= 1000),
  input text not null,
  start_options text not null,
  overlap text not null check (overlap in ('skip', 'queue', 'allow')),
  catch_up int check (catch_up >= 0),
  declared text,
  revision int not null default 1,
  is_paused boolean not null default false,
  next_due_at timestamptz,
  last_due_at timestamptz,
  backlog timestamptz[] not null default '{}',
  active_ids text[] not null default '{}',
  skipped bigint not null default 0,
  last_skipped_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint schedules_one_rule check ((cron is null) <> (every_ms is null) and (cron is null) = (time_zone is null))
) with (fillfactor = 50);

-- The scheduler looks for what is due, and for when the next one is.
create index schedules_due on {schema}.schedules (next_due_at) where not is_paused;
-- Ticks that wait to be started.
create index schedules_backlog on {schema}.schedules (name) where not is_paused and backlog <> '{}';

comment on table {schema}.schedules is 'What is started again and again. A tick is a moment at which a schedule is due; its run has the id schedule/<name>/<ISO time>.';
comment on column {schema}.schedules.name is 'Name of the schedule.';
comment on column {schema}.schedules.workflow is 'The workflow that it starts.';
comment on column {schema}.schedules.version is 'Its version; empty when the workflow has none.';
comment on column {schema}.schedules.cron is 'Cron pattern, or null for an interval.';
comment on column {schema}.schedules.time_zone is 'IANA name of the time zone of the pattern.';
comment on column {schema}.schedules.every_ms is 'Interval, counted from 1970-01-01 UTC.';
comment on column {schema}.schedules.input is 'Tagged JSON, part of the input of its runs.';
comment on column {schema}.schedules.start_options is 'JSON: options of the starts of its runs.';
comment on column {schema}.schedules.overlap is 'What becomes of a tick while an earlier run is unfinished.';
comment on column {schema}.schedules.catch_up is 'How many ticks that nobody was there for are made up for, latest first; null for all, 0 for none.';
comment on column {schema}.schedules.declared is 'The schedule as code last declared it; null when it was created at run time. Another declaration is applied; the same one leaves changes made at run time.';
comment on column {schema}.schedules.revision is 'Counts changes of the schedule, so that ticks of an older rule are not taken for its own.';
comment on column {schema}.schedules.is_paused is 'Nothing is started until it is resumed.';
comment on column {schema}.schedules.next_due_at is 'The next tick; null when there is none any more. Moved on by whoever is first.';
comment on column {schema}.schedules.last_due_at is 'The last tick that has come.';
comment on column {schema}.schedules.backlog is 'Ticks that have come and whose runs are to be started, in order.';
comment on column {schema}.schedules.active_ids is 'Runs that may be unfinished, for the overlap.';
comment on column {schema}.schedules.skipped is 'How many ticks were skipped because of an unfinished run.';
comment on column {schema}.schedules.last_skipped_at is 'The last tick that was skipped.';
comment on column {schema}.schedules.created_at is 'When it was created.';
comment on column {schema}.schedules.updated_at is 'When it was last changed, other than by its ticks.';
`,
  },
  {
    id: 5,
    name: 'transactions',
    sql: `-- Results of transactional steps. Creates a new object only; locks nothing that exists.
-- The same table is created in databases of applications that differ from the engine's: see docs/learn/transactions.md.

create table if not exists {schema}.transaction_results (
  run_id text collate "C" not null,
  name text not null,
  occurrence int not null,
  output text,
  committed_at timestamptz not null default now(),
  primary key (run_id, name, occurrence)
);

comment on table {schema}.transaction_results is 'One row per transactional step that has committed, written in its transaction: it cannot commit twice.';
comment on column {schema}.transaction_results.run_id is 'The run.';
comment on column {schema}.transaction_results.name is 'Name of the step.';
comment on column {schema}.transaction_results.occurrence is 'Its occurrence.';
comment on column {schema}.transaction_results.output is 'Tagged JSON of what the transaction returned.';
comment on column {schema}.transaction_results.committed_at is 'When it committed.';
`,
  },
  {
    id: 6,
    name: 'run_lists',
    sql: `-- Indexes for listing runs. Each locks runs against writes while it is built; on a large table create them by hand beforehand, with
-- \`create index concurrently\`, under the same names.

-- Pages of runs by age. The id, which decides between runs of one moment, is left out: batches start many runs at one moment, and their
-- entries then share one key.
create index if not exists runs_created on {schema}.runs (created_at);
-- What needs a person: few among many, so their list must not walk over the rest.
create index if not exists runs_troubled on {schema}.runs (created_at) where status in ('failed', 'cancelled', 'paused');
`,
  },
  {
    id: 7,
    name: 'starts_in_transactions',
    sql: `-- Starting runs and sending messages in transactions of applications, from SQL as well. Creates new objects only; locks nothing that
-- exists. The functions run with the rights of their caller, who needs to insert into runs and messages.

create table {schema}.message_announcements (
  id bigint generated always as identity primary key,
  run_id text collate "C" not null,
  topic text not null
);

comment on table {schema}.message_announcements is 'Messages sent in transactions of applications whose receivers have not been woken yet. Empty but for moments.';
comment on column {schema}.message_announcements.id is 'Order of sending.';
comment on column {schema}.message_announcements.run_id is 'The receiver.';
comment on column {schema}.message_announcements.topic is 'The topic.';

-- An id as the engine makes them: UUIDv7 (RFC 9562), with random bits behind the milliseconds.
create function {schema}.new_run_id() returns text
language sql volatile
set search_path = pg_catalog, pg_temp
as $perdure$
  select encode(set_bit(set_bit(
    overlay(uuid_send(gen_random_uuid())
            placing substring(int8send(floor(extract(epoch from clock_timestamp()) * 1000)::int8) from 3) from 1 for 6),
    52, 1), 53, 1), 'hex')::uuid::text
$perdure$;

comment on function {schema}.new_run_id() is 'A new run id: UUIDv7.';

-- Tells engines that listen, when the transaction commits. The channel is that of services/notifier.ts.
create function {schema}.notify_engines(payload text) returns void
language sql volatile
set search_path = pg_catalog, pg_temp
as $perdure$
  select pg_notify(
    case when octet_length('perdure_' || name) <= 63 then 'perdure_' || name
         else 'perdure_' || left(encode(sha256(convert_to(name, 'UTF8')), 'hex'), 32) end, payload)
  from (select (parse_ident('{schema}'))[1] as name) s
$perdure$;

comment on function {schema}.notify_engines(text) is 'Tells engines that listen that there is something to do, when the transaction commits.';

-- Refuses what the engine refuses as a name or an id: the empty one, one that is too long, control characters.
create function {schema}.check_text(code text, what text, value text, longest int) returns text
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $perdure$
begin
  if value is null or value = '' then
    raise exception '%: % is empty, and it is needed to find the row again', code, what
      using errcode = '22023', hint = 'Give 1 to ' || longest || ' printable characters.';
  elsif char_length(value) > longest then
    raise exception '%: % has % characters, more than %, so it cannot be recorded', code, what, char_length(value), longest
      using errcode = '22023', hint = 'Give 1 to ' || longest || ' printable characters.';
  elsif value ~ '[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]' then
    raise exception '%: % has control characters, which nobody could read in a log', code, what
      using errcode = '22023', hint = 'Give 1 to ' || longest || ' printable characters.';
  end if;
  return value;
end
$perdure$;

comment on function {schema}.check_text(text, text, text, int) is 'A name or id that the engine accepts; raises for others.';

create function {schema}.start_run(
  workflow text,
  input json default null,
  id text default null,
  queue text default null,
  partition_key text default null,
  priority int default null,
  dedup_key text default null,
  delay interval default null,
  timeout interval default null,
  attributes jsonb default null,
  version text default null,
  on_duplicate text default 'attach',
  notify boolean default true
) returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $perdure$
#variable_conflict use_column
declare
  run_id text := coalesce(start_run.id, {schema}.new_run_id());
  existing record;
begin
  perform {schema}.check_text('NAME_INVALID', 'the name of the workflow', start_run.workflow, 255);
  perform {schema}.check_text('RUN_ID_INVALID', 'the id of the run', run_id, 512);
  if start_run.version <> '' then
    perform {schema}.check_text('NAME_INVALID', 'the version', start_run.version, 255);
  end if;
  if start_run.delay < interval '0' or start_run.timeout < interval '0' then
    raise exception 'DURATION_INVALID: delay and timeout cannot be negative, because nothing can happen in the past'
      using errcode = '22023', hint = 'Give an interval of zero or more.';
  end if;
  if start_run.on_duplicate not in ('attach', 'reject') or start_run.on_duplicate is null then
    raise exception 'OPTION_INVALID: on_duplicate cannot be "%"', start_run.on_duplicate
      using errcode = '22023', hint = 'Give ''attach'' or ''reject''.';
  end if;
  if jsonb_typeof(start_run.attributes) <> 'object' then
    raise exception 'OPTION_INVALID: attributes cannot be %, because they are searched by name', jsonb_typeof(start_run.attributes)
      using errcode = '22023', hint = 'Give a JSON object.';
  end if;
  if start_run.queue is null then
    if start_run.partition_key is not null or start_run.priority is not null or start_run.dedup_key is not null then
      raise exception 'OPTION_INVALID: partition_key, priority and dedup_key say where in a queue a run stands, but no queue is given'
        using errcode = '22023', hint = 'Give the queue as well.';
    end if;
  else
    perform {schema}.check_text('NAME_INVALID', 'the queue', start_run.queue, 255);
    if start_run.partition_key <> '' then
      perform {schema}.check_text('NAME_INVALID', 'the partition key', start_run.partition_key, 255);
    end if;
    if start_run.dedup_key is not null then
      perform {schema}.check_text('NAME_INVALID', 'the dedup key', start_run.dedup_key, 255);
    end if;
    if not exists (select from {schema}.queues q where q.name = start_run.queue) then
      raise exception 'QUEUE_UNKNOWN: there is no queue "%", so nothing in it would ever start', start_run.queue
        using errcode = '22023', hint = 'Declare it with createEngine({ queues }) in some process first, or correct the name.';
    end if;
  end if;

  loop
    insert into {schema}.runs as r (
      id, workflow, version, status, due_at, input, timeout_ms, attributes, created_at,
      queue, partition_key, priority, queue_position, dedup_key, slot)
    values (
      run_id, start_run.workflow, coalesce(start_run.version, ''), 'queued',
      clock_timestamp() + coalesce(start_run.delay, interval '0'),
      coalesce(start_run.input::text, '{"~":"undefined"}'),
      ceil(extract(epoch from start_run.timeout) * 1000)::int8, start_run.attributes,
      date_trunc('milliseconds', clock_timestamp()), start_run.queue,
      case when start_run.queue is not null then coalesce(start_run.partition_key, '') end,
      case when start_run.queue is not null then coalesce(start_run.priority, 0) end,
      case when start_run.queue is not null then nextval('{schema}.queue_positions') end, start_run.dedup_key,
      case when start_run.queue is null then null when start_run.delay is null then 'ready' else 'needed' end)
    on conflict do nothing;
    if found then
      if start_run.notify then
        perform {schema}.notify_engines('{"due":true}');
      end if;
      return run_id;
    end if;

    select r.workflow into existing from {schema}.runs r where r.id = run_id;
    if found then
      if existing.workflow <> start_run.workflow then
        raise exception 'RUN_ID_CONFLICT: run "%" belongs to workflow "%", so it cannot be a run of workflow "%"',
          run_id, existing.workflow, start_run.workflow
          using errcode = '23505', hint = 'Choose another id, or start the same workflow.';
      elsif start_run.on_duplicate = 'reject' then
        raise exception 'RUN_EXISTS: run "%" of workflow "%" already exists', run_id, existing.workflow
          using errcode = '23505', hint = 'Leave on_duplicate out to get the run that is there.';
      end if;
      return run_id;
    end if;

    select r.id, r.workflow into existing
    from {schema}.runs r
    where r.queue = start_run.queue and r.dedup_key = start_run.dedup_key
      and r.status in ('queued', 'running', 'waiting', 'paused');
    if found then
      if start_run.on_duplicate = 'reject' or existing.workflow <> start_run.workflow then
        raise exception 'DEDUP_CONFLICT: run "%" of queue "%" has the dedup key "%" and is not finished',
          existing.id, start_run.queue, start_run.dedup_key
          using errcode = '23505', hint = 'Leave on_duplicate out to get the run that is there, or use another key.';
      end if;
      return existing.id;
    end if;
    -- Whoever had the id or the key is gone in between.
  end loop;
end
$perdure$;

comment on function {schema}.start_run(text, json, text, text, text, int, text, interval, interval, jsonb, text, text, boolean) is
  'Starts a run when the transaction commits; returns its id. The same id again is the same run.';

create function {schema}.send_message(
  run_id text,
  topic text,
  message json,
  dedup_key text default null,
  notify boolean default true
) returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $perdure$
#variable_conflict use_column
declare
  target record;
begin
  perform {schema}.check_text('RUN_ID_INVALID', 'the id of the run', send_message.run_id, 512);
  perform {schema}.check_text('NAME_INVALID', 'the topic', send_message.topic, 255);
  if send_message.dedup_key is not null then
    perform {schema}.check_text('NAME_INVALID', 'the dedup key', send_message.dedup_key, 255);
  end if;
  select r.status, r.finished_at into target from {schema}.runs r where r.id = send_message.run_id;
  if not found then
    raise exception 'RUN_NOT_FOUND: there is no run "%", so nobody would receive the message', send_message.run_id
      using errcode = 'P0002', hint = 'Check the id and the schema.';
  end if;
  if target.finished_at is not null then
    if exists (select from {schema}.messages m where m.run_id = send_message.run_id and m.dedup_key = send_message.dedup_key) then
      return false;
    end if;
    raise exception 'RUN_STATE_CONFLICT: run "%" is %, so it cannot receive a message', send_message.run_id, target.status
      using errcode = '55000', hint = 'Send messages to runs that are not finished.';
  end if;
  insert into {schema}.messages (run_id, topic, body, dedup_key)
  values (send_message.run_id, send_message.topic, coalesce(send_message.message::text, 'null'), send_message.dedup_key)
  on conflict (run_id, dedup_key) where dedup_key is not null do nothing;
  if not found then
    return false;
  end if;
  insert into {schema}.message_announcements (run_id, topic) values (send_message.run_id, send_message.topic);
  if send_message.notify then
    perform {schema}.notify_engines('{"sent":true}');
  end if;
  return true;
end
$perdure$;

comment on function {schema}.send_message(text, text, json, text, boolean) is
  'Sends a message to a run when the transaction commits; false if the dedup key was used before.';
`,
  },
  {
    id: 8,
    name: 'idempotency_keys',
    sql: `-- Idempotency keys of starts. Adds two nullable columns to runs: a short exclusive lock, no rewrite. Builds an index that is empty until
-- runs are started with keys, for which runs is scanned once and locked against writes.

alter table {schema}.runs add column idempotency_key text collate "C", add column fingerprint text;

-- One run for each key, until the key is taken from it.
create unique index runs_idempotency on {schema}.runs (idempotency_key) where idempotency_key is not null;

comment on column {schema}.runs.idempotency_key is 'What the request that started it was called by its sender. Taken away when another request gets the key after its time.';
comment on column {schema}.runs.fingerprint is 'What that request said, as a digest.';
`,
  },
  {
    id: 9,
    name: 'unwoken',
    sql: `-- What wakes waiters after a crash. Creates a new table; locks nothing that exists.

create table {schema}.unwoken (
  run_id text collate "C" primary key,
  ended_at timestamptz not null default now()
);

comment on table {schema}.unwoken is 'Runs that ended or published, with waiters that the statement which wrote it may not have seen. Normally emptied at once by the next statement; after a crash, by a sweep.';
comment on column {schema}.unwoken.run_id is 'The run that they wait for.';
comment on column {schema}.unwoken.ended_at is 'When it ended or published.';
`,
  },
  {
    id: 10,
    name: 'queue_positions',
    sql: `-- Positions in queues come in thousands, so that one statement can number as many runs as it starts, beside others. Changes a sequence:
-- waits for open transactions that have started runs in queues, and other starts in queues wait behind it for as long.

alter sequence {schema}.queue_positions increment by 1000;
`,
  },
  {
    id: 11,
    name: 'message_fingerprints',
    sql: `-- The same key with another message can be refused. Adds a column without a default, which rewrites nothing: locks messages for a moment.

alter table {schema}.messages add column fingerprint text;

comment on column {schema}.messages.fingerprint is 'Digest of what was asked for, given with the key: the same key with another one is refused.';
`,
  },
  {
    id: 12,
    name: 'open_claims',
    sql: `-- What is executed before its claim is committed, and which runs their owners die of. Creates a new table, and adds a column to runs with a
-- constant default: a short exclusive lock, no rewrite.

create table {schema}.open_claims (
  executor uuid not null,
  number smallint not null,
  run_ids text[] not null,
  primary key (executor, number)
);

-- A list of ids is new with each claim and read by few: to compress it would cost more than its bytes.
alter table {schema}.open_claims alter column run_ids set storage external;

comment on table {schema}.open_claims is 'Runs in line that an executor holds by a transaction which is still open. Says after its death which runs it may have died of, and keeps others from taking them before that is counted.';
comment on column {schema}.open_claims.executor is 'Who claims them.';
comment on column {schema}.open_claims.number is 'Tells the transactions of one executor apart.';
comment on column {schema}.open_claims.run_ids is 'The runs of the last claim of this number: it may have ended meanwhile.';

alter table {schema}.runs add column crashes int not null default 0;

comment on column {schema}.runs.crashes is 'How often its owner died since the run last got further, by a record or by parking; past the limit the run fails with RUN_CRASH_LIMIT.';
comment on column {schema}.runs.recoveries is 'How often its owner died.';
`,
  },
];

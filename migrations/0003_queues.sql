-- Queues. Adds columns without rewriting runs and executors: a short exclusive lock on each. Builds four indexes on runs, which are empty
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

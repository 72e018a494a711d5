-- Schedules. Creates new objects only; locks nothing that exists.

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

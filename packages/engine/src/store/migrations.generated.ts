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
];

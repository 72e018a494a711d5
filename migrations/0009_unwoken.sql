-- What wakes waiters after a crash. Creates a new table; locks nothing that exists.

create table {schema}.unwoken (
  run_id text collate "C" primary key,
  ended_at timestamptz not null default now()
);

comment on table {schema}.unwoken is 'Runs that ended or published, with waiters that the statement which wrote it may not have seen. Normally emptied at once by the next statement; after a crash, by a sweep.';
comment on column {schema}.unwoken.run_id is 'The run that they wait for.';
comment on column {schema}.unwoken.ended_at is 'When it ended or published.';

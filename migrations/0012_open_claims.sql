-- What is executed before its claim is committed, and which runs their owners die of. Creates a new table, and adds a column to runs with a
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

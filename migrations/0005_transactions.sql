-- Results of transactional steps. Creates a new object only; locks nothing that exists.
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

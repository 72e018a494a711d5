-- Idempotency keys of starts. Adds two nullable columns to runs: a short exclusive lock, no rewrite. Builds an index that is empty until
-- runs are started with keys, for which runs is scanned once and locked against writes.

alter table {schema}.runs add column idempotency_key text collate "C", add column fingerprint text;

-- One run for each key, until the key is taken from it.
create unique index runs_idempotency on {schema}.runs (idempotency_key) where idempotency_key is not null;

comment on column {schema}.runs.idempotency_key is 'What the request that started it was called by its sender. Taken away when another request gets the key after its time.';
comment on column {schema}.runs.fingerprint is 'What that request said, as a digest.';

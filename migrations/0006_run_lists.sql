-- Indexes for listing runs. Each locks runs against writes while it is built; on a large table create them by hand beforehand, with
-- `create index concurrently`, under the same names.

-- Pages of runs by age. The id, which decides between runs of one moment, is left out: batches start many runs at one moment, and their
-- entries then share one key.
create index if not exists runs_created on {schema}.runs (created_at);
-- What needs a person: few among many, so their list must not walk over the rest.
create index if not exists runs_troubled on {schema}.runs (created_at) where status in ('failed', 'cancelled', 'paused');

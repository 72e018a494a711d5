-- Messages, events and streams. Creates new objects, and adds a nullable column to runs: a short exclusive lock, no rewrite.

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

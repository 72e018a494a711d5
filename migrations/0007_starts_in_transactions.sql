-- Starting runs and sending messages in transactions of applications, from SQL as well. Creates new objects only; locks nothing that
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
  elsif value ~ '[\u0001-\u001f\u007f-\u009f\u2028\u2029]' then
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

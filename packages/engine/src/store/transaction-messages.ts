// Messages that are sent in a transaction of the application. The ordinary send marks the receiver's row, which its owner
// writes too: held by an open transaction, that row would stop the owner's journal. So here the mark is left for later, as a
// row of its own that commits with the message, and whoever sees it first makes the mark.

import type { RunId } from '../values/ids.js';
import { parseSent, type NewMessage, type Sent } from './messages.js';
import { onlyRow, readBoolean, readText, statement, type Queryable } from './sql.js';

// As in messages.ts, without the mark.
const sendMessage = statement(
  'send_in_transaction',
  `with target as (
     select id, status, finished_at from {schema}.runs where id = $1
   ), sent as (
     insert into {schema}.messages (run_id, topic, body, dedup_key, fingerprint)
     select id, $2, $3, $4::text, $5::text
     from target
     where finished_at is null
     on conflict (run_id, dedup_key) where dedup_key is not null do nothing
     returning run_id, topic
   ), announced as (
     insert into {schema}.message_announcements (run_id, topic)
     select run_id, topic from sent
   )
   select (select status from target) as status,
          exists (select from sent) as is_new,
          $4::text is not null and not exists (select from sent) and (
            exists (select from target where finished_at is null)
            or exists (select from {schema}.messages m where m.run_id = $1 and m.dedup_key = $4::text)) as is_duplicate,
          exists (
            select from {schema}.messages m
            where m.run_id = $1 and m.dedup_key = $4::text and m.fingerprint <> $5::text) as is_other,
          false as is_woken,
          pg_current_xact_id()::text as xid`,
);

/** Sends a message when the transaction commits. */
export async function insertMessageInTransaction(
  transaction: Queryable,
  { runId, topic, body, dedupKey, fingerprint }: Omit<NewMessage, 'sender'>,
): Promise<Sent & { readonly xid: string }> {
  const row = onlyRow(
    await transaction.query(sendMessage, [runId, topic, body, dedupKey ?? null, fingerprint ?? null]),
  );
  return { ...parseSent(row), xid: readText(row, 'xid') };
}

// marked: as in messages.ts. A receiver that is `queued` looks for messages by itself, and so does one that is claimed between.
// `skip locked`: several processes announce at once. `held` locks the runs by id, the lock order of all statements.
const announce = statement(
  'announce_messages',
  `with taken as (
     delete from {schema}.message_announcements
     where id in (select id from {schema}.message_announcements order by id limit 1000 for update skip locked)
     returning run_id, topic
   ), waking as (
     select run_id, array_agg(distinct topic) as topics from taken group by run_id
   ), held as materialized (
     select r.id
     from waking w
     join {schema}.runs r on r.id = w.run_id and w.run_id || '' = w.run_id
     where r.finished_at is null
     order by r.id
     for no key update of r
   ), marked as (
     update {schema}.runs r
     set due_at = now()
     from held h, waking w
     where r.id = h.id and h.id || '' = h.id and w.run_id = h.id
       and (r.status || '' = 'running' or r.status || '' = 'waiting' and r.waits_for && w.topics)
     returning r.id, r.status = 'waiting' as is_woken
   )
   select w.run_id, coalesce(m.is_woken, false) as is_woken
   from waking w
   left join marked m on m.id = w.run_id`,
);

/** Marks the receivers of committed messages; returns them. At most 1,000 messages at once: call it again if there are as many. */
export async function announceMessages(
  db: Queryable,
): Promise<readonly { readonly runId: RunId; readonly isWoken: boolean }[]> {
  const rows = await db.query(announce, []);
  return rows.map((row) => ({ runId: readText(row, 'run_id') as RunId, isWoken: readBoolean(row, 'is_woken') }));
}

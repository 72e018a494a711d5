// Messages: sending them to a run, finding those that it has not received. Receiving one is part of a checkpoint, see batch.ts.

import type { RunId } from '../values/ids.js';
import { findStatus, isFinal, type RunStatus } from '../values/status.js';
import { int8Array, textArray } from './binary-arrays.js';
import {
  findNumber,
  findText,
  onlyRow,
  readBoolean,
  readNumber,
  readText,
  statement,
  type Queryable,
  type Row,
} from './sql.js';

/** A message to send. */
export interface NewMessage {
  readonly runId: RunId;
  readonly topic: string;
  readonly body: string;
  /** The same key to the same run again has no effect. */
  readonly dedupKey: string | undefined;
  /** What makes another message of the key the same one. */
  readonly fingerprint: string | undefined;
  /** The run that sends it: it must still be owned under this epoch. */
  readonly sender: { readonly id: RunId; readonly epoch: number } | undefined;
}

/** What became of a message. */
export interface Sent {
  /** Undefined: there is no such run. */
  readonly status: RunStatus | undefined;
  /** False when the run is finished, the key was used before, or the sender is no longer owned. */
  readonly isNew: boolean;
  /** The key was used before. */
  readonly isDuplicate: boolean;
  /** The key was used before, for a message with another fingerprint. */
  readonly isOther: boolean;
  /** The run was parked, and is due now. */
  readonly isWoken: boolean;
  /** The message's id, if the run is running and no other message of its topic comes before this one. */
  readonly firstId: number | undefined;
}

// sent: primary key of runs; nothing is kept for a finished run. `on conflict`: the partial unique index of dedup keys. A message
//   that was sent under the key at the same moment is not seen by this statement: nothing else keeps one from an unfinished run. Nor is its
//   fingerprint.
// marked: a parked run that waits for the topic becomes due. One that is running gets the same mark, which it finds if it parks
//   without having seen the message.
// held: what the run does at this moment, not when the statement began: the insert may have waited for another message of the key, and
//   a run that was claimed and parked meanwhile has not seen this one. One that is queued is claimed after this commit, and sees it.
//   Not locked before the insert: while that waits, the run's owner must be able to write.
// first_id: messages_unreceived, one lookup. This statement does not see a message that was committed while it waited for the run's row;
//   but its mark has changed that row. The next one to be committed comes after this. One in a transaction of the application makes
//   no mark: it is sent when that commits, and has no order with what is sent at the same moment.
const sendMessage = statement(
  'send_message',
  `with target as (
     select id, status, finished_at, due_at from {schema}.runs where id = $1
   ), sent as (
     insert into {schema}.messages (run_id, topic, body, dedup_key, fingerprint)
     select id, $2, $3, $4, $7::text
     from target
     where finished_at is null
       and ($5::text is null or exists (
         select from {schema}.runs s where s.id = $5 and s.epoch = $6::int4 and s.status || '' = 'running'))
     on conflict (run_id, dedup_key) where dedup_key is not null do nothing
     returning id
   ), held as materialized (
     select r.id, r.status, r.waits_for, r.due_at
     from {schema}.runs r
     where r.id = $1 and exists (select from sent)
     for no key update of r
   ), marked as (
     update {schema}.runs r
     set due_at = now()
     from held h
     where r.id = $1 and r.id = h.id and (h.status = 'running' or h.status = 'waiting' and $2 = any (h.waits_for))
     returning h.status = 'waiting' as is_woken
   )
   select (select status from target) as status,
          exists (select from sent) as is_new,
          $4::text is not null and not exists (select from sent) and (
            $5::text is null and exists (select from target where finished_at is null)
            or exists (select from {schema}.messages m where m.run_id = $1 and m.dedup_key = $4)) as is_duplicate,
          exists (select from {schema}.messages m where m.run_id = $1 and m.dedup_key = $4 and m.fingerprint <> $7::text) as is_other,
          coalesce((select is_woken from marked), false) as is_woken,
          (select s.id::float8
           from sent s
           cross join held h
           cross join target t
           where h.status = 'running' and h.due_at is not distinct from t.due_at and not exists (
             select from {schema}.messages m where m.run_id = $1 and m.topic = $2 and m.received_seq is null)) as first_id`,
);

/** Sends a message. One round trip, two for a repeated one with a fingerprint or a sender; safe to repeat with a dedup key. */
export async function insertMessage(db: Queryable, message: NewMessage): Promise<Sent> {
  const { runId, topic, body, dedupKey = null, fingerprint = null, sender } = message;
  const values = [runId, topic, body, dedupKey, sender?.id ?? null, sender?.epoch ?? null, fingerprint];
  const sent = parseSent(onlyRow(await db.query(sendMessage, values)));
  const mayBeOther = sent.isDuplicate && !sent.isOther && fingerprint !== null;
  if (!mayBeOther && !hasLostSender(sent)) return sent;
  // Of a message that was sent at the same moment, only a later statement sees the fingerprint; or, with a sender, that it is there.
  return parseSent(onlyRow(await db.query(sendMessage, values)));
}

/** Whether the run that sends is no longer owned: its message was not sent before, and was not kept, although its receiver is unfinished. */
export function hasLostSender({ status, isNew, isDuplicate }: Sent): boolean {
  return !isNew && !isDuplicate && status !== undefined && !isFinal(status);
}

/** Reads the answer to a send. */
export function parseSent(row: Row): Sent {
  const status = findText(row, 'status');
  return {
    status: status === undefined ? undefined : findStatus(status),
    isNew: readBoolean(row, 'is_new'),
    isDuplicate: readBoolean(row, 'is_duplicate'),
    isOther: readBoolean(row, 'is_other'),
    isWoken: readBoolean(row, 'is_woken'),
    firstId: findNumber(row, 'first_id'),
  };
}

/** A receiver without a message. */
export interface Receiver {
  readonly runId: RunId;
  readonly topic: string;
}

/** A message that waits to be received. */
export interface WaitingMessage {
  readonly id: number;
  readonly runId: RunId;
  readonly topic: string;
  readonly body: string;
  /** Of the database's time. */
  readonly sentAtMs: number;
}

// Index: messages_unreceived, one lookup per receiver; a mailbox with a million messages costs no more than one with ten.
// Messages that are taken in memory and not yet recorded as received are left out by id.
const selectWaiting = statement(
  'waiting_messages',
  `select m.id::float8 as id, m.run_id, m.topic, m.body, (extract(epoch from m.sent_at) * 1000)::float8 as sent_at_ms
   from (select distinct * from unnest($1::text[], $2::text[])) r (run_id, topic)
   cross join lateral (
     select id, run_id, topic, body, sent_at
     from {schema}.messages
     where run_id = r.run_id and topic = r.topic and received_seq is null and id <> all ($3::int8[])
     order by id
     limit 20
   ) m
   order by m.run_id, m.id`,
);

/** The oldest unreceived messages of each receiver, in the order of sending. */
export async function findMessages(
  db: Queryable,
  receivers: readonly Receiver[],
  taken: readonly number[],
): Promise<readonly WaitingMessage[]> {
  const runIds = textArray(receivers.map((r) => r.runId));
  const topics = textArray(receivers.map((r) => r.topic));
  const rows = await db.query(selectWaiting, [runIds, topics, int8Array(taken)]);
  return rows.map((row) => ({
    id: readNumber(row, 'id'),
    runId: readText(row, 'run_id') as RunId,
    topic: readText(row, 'topic'),
    body: readText(row, 'body'),
    sentAtMs: readNumber(row, 'sent_at_ms'),
  }));
}

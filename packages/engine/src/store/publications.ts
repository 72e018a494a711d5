// What runs publish as part of the journal's batch: events, stream chunks, and the receipts of messages. Each stands or falls with
// the checkpoint of the step that it belongs to, because both test the same condition in one statement.
// Batches without any use a shorter statement, and pay nothing for this.

import type { RunId } from '../values/ids.js';
import { int4Array, int8Array, textArray } from './binary-arrays.js';
import { unnest } from './sql.js';

/** Where in its run's history a publication belongs. */
interface Published {
  readonly runId: RunId;
  readonly epoch: number;
  /** Its step, or the last delivered one when a step that is executing publishes. */
  readonly seq: number;
}

/** A value that a run publishes. */
export interface EventRow extends Published {
  readonly key: string;
  readonly value: string;
}

/** A chunk that a run appends; without a value it closes the stream. */
export interface ChunkRow extends Published {
  readonly stream: string;
  readonly position: number;
  readonly value: string | undefined;
}

/** A message that a run has received. */
export interface ReceiptRow extends Published {
  readonly messageId: number;
}

/** What is published with one write. */
export interface Publications {
  readonly events?: readonly EventRow[] | undefined;
  readonly chunks?: readonly ChunkRow[] | undefined;
  readonly receipts?: readonly ReceiptRow[] | undefined;
}

// set: two values of one key in one batch would touch the row twice, which an upsert refuses: only the last one is sent.
// announced: locks the run's row, so that a waiter that is registering at this moment is either seen here or sees the event.
// `on conflict do nothing` on chunks: a batch whose answer was lost is sent again.
/** The common table expressions, with the columns of `publicationColumns`; `owner` is that of batch-statements.ts. */
export function publicationParts(take: (types: string) => readonly string[]): string {
  const [events, kept] = [take('text int4 text text'), take('text int4 int4 text text')];
  const [chunks, receipts] = [take('text int4 int4 text int4 text'), take('text int4 int4 int8')];
  return `set as (
     insert into {schema}.events (run_id, key, value)
     select e.run_id, e.key, e.value
     from ${unnest(events)} e (run_id, epoch, key, value)
     join {schema}.runs r on r.id = e.run_id and r.epoch = e.epoch and r.executor = $1::uuid and r.status || '' = 'running'
     where e.run_id || '' = e.run_id and exists (select from owner)
     on conflict (run_id, key) do update set value = excluded.value, set_at = now()
     returning 1
   ), kept as (
     insert into {schema}.event_history (run_id, seq, key, value)
     select e.run_id, e.seq, e.key, e.value
     from ${unnest(kept)} e (run_id, epoch, seq, key, value)
     join {schema}.runs r on r.id = e.run_id and r.epoch = e.epoch and r.executor = $1::uuid and r.status || '' = 'running'
     where e.run_id || '' = e.run_id and exists (select from owner)
     returning 1
   ), appended as (
     insert into {schema}.stream_chunks (run_id, seq, stream, position, value)
     select c.run_id, c.seq, c.stream, c.position, c.value
     from ${unnest(chunks)}
       c (run_id, epoch, seq, stream, position, value)
     join {schema}.runs r on r.id = c.run_id and r.epoch = c.epoch and r.executor = $1::uuid and r.status || '' = 'running'
     where c.run_id || '' = c.run_id and exists (select from owner)
     on conflict do nothing
     returning 1
   ), received as (
     update {schema}.messages m
     set received_seq = t.seq
     from ${unnest(receipts)} t (run_id, epoch, seq, id)
     join {schema}.runs r on r.id = t.run_id and r.epoch = t.epoch and r.executor = $1::uuid and r.status || '' = 'running'
     where t.run_id || '' = t.run_id and m.run_id = t.run_id and m.id = t.id and exists (select from owner)
     returning 1
   ), announced as (
     select r.id, r.awaited_by
     from {schema}.runs r
     where r.id = any (${events[0] ?? ''}) and exists (select from owner)
     for no key update
   )`;
}

/** Whether there is anything to publish. */
export function isEmpty({ events = [], chunks = [], receipts = [] }: Publications): boolean {
  return events.length + chunks.length + receipts.length === 0;
}

/** The parameters of `publicationParts`. */
export function publicationColumns({ events = [], chunks = [], receipts = [] }: Publications): readonly Buffer[] {
  const last = new Map(events.map((event) => [`${event.key} ${event.runId}`, event]));
  const current = [...last.values()];
  return [
    textArray(current.map((e) => e.runId)),
    int4Array(current.map((e) => e.epoch)),
    textArray(current.map((e) => e.key)),
    textArray(current.map((e) => e.value)),
    textArray(events.map((e) => e.runId)),
    int4Array(events.map((e) => e.epoch)),
    int4Array(events.map((e) => e.seq)),
    textArray(events.map((e) => e.key)),
    textArray(events.map((e) => e.value)),
    textArray(chunks.map((c) => c.runId)),
    int4Array(chunks.map((c) => c.epoch)),
    int4Array(chunks.map((c) => c.seq)),
    textArray(chunks.map((c) => c.stream)),
    int4Array(chunks.map((c) => c.position)),
    textArray(chunks.map((c) => c.value)),
    textArray(receipts.map((r) => r.runId)),
    int4Array(receipts.map((r) => r.epoch)),
    int4Array(receipts.map((r) => r.seq)),
    int8Array(receipts.map((r) => r.messageId)),
  ];
}

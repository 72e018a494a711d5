// Idempotency keys of starts. A key is a column of the run that was started with it, under a unique index, so key and run come to be in
// one statement, the journal's. Here is what happens when that finds the key taken.

import type { RunId } from '../values/ids.js';
import { textArray } from './binary-arrays.js';
import { readBoolean, readText, statement, type Queryable } from './sql.js';

/** What makes two starts the same one. */
export interface IdempotencyKey {
  readonly key: string;
  /** What the start says: with the same key, another one is an error. */
  readonly fingerprint: string;
  /** From the start of the run on. After it, the key may start another run. */
  readonly keepForMs: number;
}

/** The columns of keys: key, fingerprint. */
export function idempotencyColumns(
  rows: readonly { readonly idempotency: IdempotencyKey | undefined }[],
): readonly Buffer[] {
  return [
    textArray(rows.map(({ idempotency }) => idempotency?.key)),
    textArray(rows.map(({ idempotency }) => idempotency?.fingerprint)),
  ];
}

// Index: runs_idempotency. A run that is not over keeps its key.
const selectHolder = statement(
  'idempotency_holder',
  `select id, fingerprint, workflow,
          finished_at is not null and created_at < now() - $2::float8 * interval '1 millisecond' as is_expired
   from {schema}.runs
   where idempotency_key = $1::text`,
);

/** The run that has a key. */
export interface KeyHolder {
  readonly id: RunId;
  readonly fingerprint: string;
  readonly workflow: string;
  /** The time of the key is over. */
  readonly isExpired: boolean;
}

/** Finds the run that has a key. */
export async function findKeyHolder(db: Queryable, { key, keepForMs }: IdempotencyKey): Promise<KeyHolder | undefined> {
  const [row] = await db.query(selectHolder, [key, keepForMs]);
  if (row === undefined) return undefined;
  return {
    id: readText(row, 'id') as RunId,
    fingerprint: readText(row, 'fingerprint'),
    workflow: readText(row, 'workflow'),
    isExpired: readBoolean(row, 'is_expired'),
  };
}

// Index: primary key. Of several processes that find the time over, one takes the key away; it does not matter which.
const takeKeyAway = statement(
  'take_idempotency_key',
  `update {schema}.runs
   set idempotency_key = null
   where id = $1::text and idempotency_key = $2::text`,
);

/** Takes a key away from a run, so that it may start another. Safe to repeat. */
export async function takeKeyFrom(db: Queryable, id: RunId, key: string): Promise<void> {
  await db.query(takeKeyAway, [id, key]);
}

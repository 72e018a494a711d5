// Locks that hold the engine's statements where a test wants them.

import { waitForBlockedBackend } from '@perdure/testing';
import type { EngineDatabase } from './test-engine.js';

/** Locks a run's row as an update would; returns how to let go. A transaction whose test fails ends with it. */
export async function lockRun(db: EngineDatabase, id: string): Promise<() => Promise<void>> {
  const client = await db.connect();
  await client.query('begin');
  await client.query('select from perdure.runs where id = $1 for update', [id]);
  return async () => {
    await client.query('commit');
  };
}

// A piece of text that only this statement has, among its first 1,000 characters: pg_stat_activity cuts the rest off.
const texts = {
  cancel: 'with recursive tree as (\n     select id from',
  delete: 'true as is_asked from',
  finish: 'recorded as (',
  park: "set status = 'waiting', executor = null, waits_for",
  register: 'array_agg(waiter) as waiters',
  start: 'started as (',
} as const;

/** Resolves when a statement of this sort waits for a lock. */
export async function blocked(db: EngineDatabase, statement: keyof typeof texts): Promise<void> {
  await waitForBlockedBackend(await db.connect(), { statement: texts[statement] });
}

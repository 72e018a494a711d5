// Before runs are parked, they register with the runs that they await: whoever finishes or publishes from then on marks
// them as due. What has happened before is found here.

import { selectEventStates, type EventQuery } from '../store/events.js';
import type { Queryable } from '../store/sql.js';
import { registerWaits } from '../store/waiters.js';
import type { RunId } from '../values/ids.js';
import type { Park } from './journal-batch.js';

/** Registers the waits of runs that are to be parked; returns the runs with a wait that is over already. Safe to repeat. */
export async function registerWaiters(db: Queryable, parks: readonly Park[]): Promise<ReadonlySet<RunId>> {
  const waits = parks.flatMap(({ row, awaits, awaitsEvents }) =>
    [...awaits, ...awaitsEvents.map(({ runId }) => runId)].map((target) => ({ waiter: row.id, target })),
  );
  if (waits.length === 0) return new Set();
  const unfinished = await registerWaits(db, waits);
  const over = new Set(waits.filter(({ target }) => !unfinished.has(target)).map(({ waiter }) => waiter));
  const queries = parks.flatMap(({ awaitsEvents }) => awaitsEvents);
  if (queries.length === 0) return over;
  const states = await selectEventStates(db, queries);
  const set = new Set(states.filter(({ value }) => value !== undefined).map(eventKey));
  for (const { row, awaitsEvents } of parks) {
    if (awaitsEvents.some((query) => set.has(eventKey(query)))) over.add(row.id);
  }
  return over;
}

function eventKey({ runId, key }: EventQuery): string {
  return `${key} ${runId}`;
}

// Events: the values that runs publish, as others read them. Setting one is part of a checkpoint, see batch.ts.

import type { RunId } from '../values/ids.js';
import { textArray } from './binary-arrays.js';
import { findText, readBoolean, readText, statement, type Queryable } from './sql.js';

// Index: primary keys of both.
const selectEvents = statement(
  'select_events',
  `select w.run_id, w.key, e.value, r.finished_at is not null as is_final, r.id is not null as exists
   from unnest($1::text[], $2::text[]) w (run_id, key)
   left join {schema}.runs r on r.id = w.run_id
   left join {schema}.events e on e.run_id = w.run_id and e.key = w.key`,
);

/** Whose event is asked for. */
export interface EventQuery {
  readonly runId: RunId;
  readonly key: string;
}

/** An event as it stands. */
export interface EventState extends EventQuery {
  readonly value: string | undefined;
  /** The run is over: what is not set now never will be, unless the run is resumed. */
  readonly isFinal: boolean;
  readonly exists: boolean;
}

/** The current values of events. */
export async function selectEventStates(db: Queryable, queries: readonly EventQuery[]): Promise<readonly EventState[]> {
  const rows = await db.query(selectEvents, [
    textArray(queries.map((q) => q.runId)),
    textArray(queries.map((q) => q.key)),
  ]);
  return rows.map((row) => ({
    runId: readText(row, 'run_id') as RunId,
    key: readText(row, 'key'),
    value: findText(row, 'value'),
    isFinal: readBoolean(row, 'is_final'),
    exists: readBoolean(row, 'exists'),
  }));
}

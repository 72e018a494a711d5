// Runs that are started in a transaction of the application. Nothing of this goes through the journal, and no row that other
// statements of the engine write is locked: the transaction may stay open for as long as the application likes.

import type { RunId } from '../values/ids.js';
import { insertQueuedPart, unlessThere, type QueuedStart } from './queue-starts.js';
import { onlyRow, readText, statement, type Queryable } from './sql.js';

// The rows travel as one JSON text, because not every driver can send arrays or binary values.
const insertRuns = statement(
  'insert_runs_in_transaction',
  `with started as (
     ${insertQueuedPart(`json_to_recordset($1::json)
       s (id text, workflow text, version text, input text, delay_ms int8, timeout_ms int8, attributes text, queue text,
          partition_key text, priority int4, dedup_key text)`)}
     ${unlessThere}
   )
   select coalesce((select json_agg(id) from started), '[]')::text as started_ids, pg_current_xact_id()::text as xid`,
);

/** What a caller's transaction has inserted. */
export interface StartedInTransaction {
  readonly startedIds: ReadonlySet<string>;
  /** The transaction. */
  readonly xid: string;
}

/** Inserts runs, in their order, to be claimed once the transaction has committed. What is there stays as it is. */
export async function insertRunsInTransaction(
  transaction: Queryable,
  rows: readonly QueuedStart[],
): Promise<StartedInTransaction> {
  const row = onlyRow(await transaction.query(insertRuns, [JSON.stringify(rows.map(toJson))]));
  return { startedIds: new Set(parseIds(readText(row, 'started_ids'))), xid: readText(row, 'xid') };
}

// Index: primary key.
const selectWorkflows = statement(
  'workflows_in_transaction',
  `select id, workflow
   from {schema}.runs
   where id = any (array (select json_array_elements_text($1::json)))`,
);

/** The workflows of those runs that exist, as the transaction sees them. */
export async function findWorkflowsInTransaction(
  transaction: Queryable,
  ids: readonly RunId[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await transaction.query(selectWorkflows, [JSON.stringify(ids)]);
  return new Map(rows.map((row) => [readText(row, 'id'), readText(row, 'workflow')]));
}

function toJson({ id, workflow, version, input, delayMs, timeoutMs, attributes, place }: QueuedStart): object {
  return {
    id,
    workflow,
    version,
    input,
    delay_ms: delayMs,
    timeout_ms: timeoutMs,
    attributes,
    queue: place?.queue,
    partition_key: place?.partitionKey,
    priority: place?.priority,
    dedup_key: place?.dedupKey,
  };
}

function parseIds(text: string): readonly string[] {
  const parsed: unknown = JSON.parse(text);
  return Array.isArray(parsed) ? parsed.map(String) : [];
}

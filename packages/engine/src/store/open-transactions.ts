// Transactions of the application that the engine takes part in: whether a client is in one, and what became of it.

import { textArray } from './binary-arrays.js';
import type { RawQuery } from './transactions.js';
import { findText, readText, statement, textFor, type Queryable, type Row } from './sql.js';

/**
 * A caller's transaction, for the engine's statements. Parameters are plain text and numbers, which every driver can send.
 * Throws TypeError for what answers without rows: a transaction of another library has functions of the same names.
 */
export function inTransaction(query: RawQuery, schema: string): Queryable {
  return {
    query: async ({ text }, values) => {
      const rows: unknown = await query(textFor(text, schema), values);
      if (!Array.isArray(rows)) throw new TypeError("it is another library's, so it needs use() of a data source");
      return rows as readonly Row[];
    },
  };
}

// LOCK is refused outside of a transaction block, and in one that has failed. It takes no more than what the insert after it
// takes anyway. (A savepoint would tell as well, but makes a subtransaction, of which servers bear few.)
const requireOpen = statement('require_transaction', 'lock table {schema}.runs in access share mode');

/** Throws what the driver throws if no transaction is open, if it has failed, and if the engine's schema is not there. */
export async function requireOpenTransaction(transaction: Queryable): Promise<void> {
  await transaction.query(requireOpen, []);
}

/** What became of a transaction. Unknown: it is too long ago. */
export type TransactionEnd = 'committed' | 'rolled back' | 'unknown';

// pg_xact_status asks for transactions in progress first, so what it calls committed is visible to the next statement. It throws for
// ids that the server has not given out yet; from xmax on, no transaction has ended.
const selectEnds = statement(
  'transaction_ends',
  `select x.xid,
          case when x.xid::xid8 < pg_snapshot_xmax(pg_current_snapshot()) then pg_xact_status(x.xid::xid8)
               else 'in progress' end as status
   from unnest($1::text[]) x (xid)`,
);

/** Which of these transactions have ended, and how. */
export async function findTransactionEnds(
  db: Queryable,
  xids: readonly string[],
): Promise<ReadonlyMap<string, TransactionEnd>> {
  const rows = await db.query(selectEnds, [textArray(xids)]);
  const ends = new Map<string, TransactionEnd>();
  for (const row of rows) {
    const status = findText(row, 'status');
    if (status !== 'in progress') ends.set(readText(row, 'xid'), endOf(status));
  }
  return ends;
}

function endOf(status: string | undefined): TransactionEnd {
  if (status === 'committed') return 'committed';
  return status === 'aborted' ? 'rolled back' : 'unknown';
}

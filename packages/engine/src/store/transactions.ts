// Transactional steps: their one row, written as the last statement of the user's own transaction.
// Runs through whatever client that transaction has, so it takes a plain function instead of a connection.

import type { ExecutorId, RunId } from '../values/ids.js';
import { findText, statement, textFor, type Row } from './sql.js';

/** Runs SQL with `$1` parameters inside the user's transaction. */
export type RawQuery = (text: string, values: readonly unknown[]) => Promise<readonly Row[]>;

/** Which transactional step. */
export interface TransactionKey {
  readonly runId: RunId;
  readonly name: string;
  readonly occurrence: number;
}

/** Who executes it: the claim that must still hold when it commits. */
export interface Claimant {
  readonly epoch: number;
  readonly executor: ExecutorId;
}

// Index: primary key.
const selectResult = statement(
  'select_transaction',
  'select output from {schema}.transaction_results where run_id = $1 and name = $2 and occurrence = $3::int4',
);

/** The result of a transactional step that has committed before; undefined when it has not. */
export async function findTransactionResult(
  query: RawQuery,
  schema: string,
  { runId, name, occurrence }: TransactionKey,
): Promise<{ readonly output: string | undefined } | undefined> {
  const [row] = await query(textFor(selectResult.text, schema), [runId, name, occurrence]);
  return row === undefined ? undefined : { output: findText(row, 'output') };
}

// The fence is in this last statement: `for share` on the run's row waits for a cancellation or takeover under way, and
// holds off a later one until the transaction has ended. Primary key: a second commit of the step is a conflict.
const insertFenced = statement(
  'insert_transaction_fenced',
  `insert into {schema}.transaction_results (run_id, name, occurrence, output)
   select $1, $2, $3::int4, $4
   from (select 1 from {schema}.runs
         where id = $1 and epoch = $5::int4 and executor = $6::uuid and status || '' = 'running'
         for share) owned
   on conflict do nothing
   returning 1`,
);

// In another database there is no run to ask. The primary key alone keeps the step from committing twice, and a former owner
// gets no further than this one step, because the engine refuses its checkpoint.
const insertUnfenced = statement(
  'insert_transaction',
  `insert into {schema}.transaction_results (run_id, name, occurrence, output)
   values ($1, $2, $3::int4, $4)
   on conflict do nothing
   returning 1`,
);

/** Writes the result; false when the step has committed before or, in the engine's database, the claim does not hold any more. */
export async function insertTransactionResult(
  query: RawQuery,
  schema: string,
  { key, output, claimant }: { key: TransactionKey; output: string | undefined; claimant: Claimant | undefined },
): Promise<boolean> {
  const values = [key.runId, key.name, key.occurrence, output ?? null];
  const rows =
    claimant === undefined
      ? await query(textFor(insertUnfenced.text, schema), values)
      : await query(textFor(insertFenced.text, schema), [...values, claimant.epoch, claimant.executor]);
  return rows.length === 1;
}

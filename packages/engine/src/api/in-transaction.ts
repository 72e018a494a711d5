// Starts and messages in a transaction that the application has opened itself.

import type { Executor } from '../run/executor.js';
import { findContext } from '../run/context.js';
import { faultOf, type Letter } from '../run/mail.js';
import type { OpenTransactions } from '../run/open-transactions.js';
import type { NewRun, Ticket } from '../run/run-host.js';
import { startInTransaction } from '../run/start-in-transaction.js';
import type { Database } from '../store/database.js';
import { codeOf } from '../store/failures.js';
import { inTransaction, requireOpenTransaction } from '../store/open-transactions.js';
import type { Queryable } from '../store/sql.js';
import { insertMessageInTransaction } from '../store/transaction-messages.js';
import type { RawQuery } from '../store/transactions.js';
import { isPerdureError, PerdureError } from '../values/errors.js';
import { rawQuery, type PgClient } from './transaction.js';

/** A transaction of the application: a client of `pg` that is in one, or what `use` of a data source makes of an ORM's. */
export type CallerTransaction = PgClient | RawQuery;

/** What can happen in a transaction of the application. */
export interface InTransaction {
  /**
   * A transaction in the engine's database that the caller has begun and will end: what is done is done exactly if it commits.
   * A client of `pg`, or `source.use(transaction)` with a data source.
   */
  readonly transaction?: CallerTransaction;
}

/** What working in a transaction needs of an engine. */
export interface TransactionHost {
  readonly database: Database;
  readonly executor: Executor;
  readonly transactions: OpenTransactions;
}

const portion = 1_000;

/** Starts runs in the caller's transaction. Throws TRANSACTION_UNUSABLE and what starting throws. */
export async function startInCallersTransaction(
  host: TransactionHost,
  given: CallerTransaction,
  newRuns: readonly NewRun[],
): Promise<readonly Ticket[]> {
  const { executor } = host;
  await executor.starter.requireQueues([...new Set(newRuns.flatMap(({ place }) => place?.queue ?? []))]);
  return withTransaction(host, given, async (transaction) => {
    const tickets: Ticket[] = [];
    for (let at = 0; at < newRuns.length; at += portion) {
      const some = newRuns.slice(at, at + portion);
      const started = await startInTransaction(transaction, some);
      const end = host.transactions.followRuns(started.xid, some);
      tickets.push(...started.tickets.map((ticket) => ({ ...ticket, outcome: undefined, transactionEnd: end })));
    }
    return tickets;
  });
}

/** Starts one run in the caller's transaction. */
export async function startOneInTransaction(
  host: TransactionHost,
  given: CallerTransaction,
  newRun: NewRun,
): Promise<Ticket> {
  const [ticket] = await startInCallersTransaction(host, given, [newRun]);
  if (ticket === undefined) throw new PerdureError('RUN_NOT_FOUND', { id: newRun.id ?? '' });
  return ticket;
}

/** Sends a message in the caller's transaction. Throws TRANSACTION_UNUSABLE, RUN_NOT_FOUND, RUN_STATE_CONFLICT. */
export async function sendInCallersTransaction(
  host: TransactionHost,
  given: CallerTransaction,
  letter: Letter,
): Promise<void> {
  await withTransaction(host, given, async (transaction) => {
    const sent = await insertMessageInTransaction(transaction, letter);
    const fault = faultOf(sent, letter.runId);
    if (fault !== undefined) throw fault;
    host.transactions.followMessage(sent.xid);
  });
}

/** Throws OPTION_INVALID in workflow code, which records its starts and messages by itself. */
export function refuseInWorkflow(given: unknown): void {
  const context = findContext();
  if (context === undefined || context.step !== undefined) return;
  const reason = 'workflow code would do it again on every replay; use the transaction of runTransaction, or of a step';
  throw new PerdureError('OPTION_INVALID', { option: 'transaction', value: typeof given, reason });
}

async function withTransaction<T>(
  { database }: TransactionHost,
  given: CallerTransaction,
  work: (transaction: Queryable) => Promise<T>,
): Promise<T> {
  refuseInWorkflow(given);
  const transaction = inTransaction(toRawQuery(given), database.schema);
  try {
    await requireOpenTransaction(transaction);
  } catch (error) {
    if (isRetried(error) || isPerdureError(error)) throw error;
    throw new PerdureError('TRANSACTION_UNUSABLE', { reason: reasonOf(error, database.schema) }, { cause: error });
  }
  try {
    return await work(transaction);
  } catch (error) {
    const isOurs = sqlState(error) === '25006' || sqlState(error) === '42501';
    if (!isOurs) throw error;
    throw new PerdureError('TRANSACTION_UNUSABLE', { reason: reasonOf(error, database.schema) }, { cause: error });
  }
}

function toRawQuery(given: CallerTransaction | null): RawQuery {
  if (typeof given === 'function') return given;
  if (typeof given === 'object' && given !== null && typeof given.query === 'function') return rawQuery(given);
  const reason = 'it is neither a client of pg nor what use() of a data source returns';
  throw new PerdureError('OPTION_INVALID', { option: 'transaction', value: typeof given, reason });
}

// Serialization failures and deadlocks are the application's to try again: it knows them by their code.
function isRetried(error: unknown): boolean {
  return sqlState(error)?.startsWith('40') === true;
}

function reasonOf(error: unknown, schema: string): string {
  const code = sqlState(error);
  if (code === '25P01') return 'it has not been begun, or it is a pool, whose statements are transactions of their own';
  if (code === '25P02') return 'one of its statements has failed, so it can only be rolled back';
  if (code === '25006') return 'it is read-only';
  if (code === '42501') return `its role may not write to the tables of schema "${schema}"`;
  if (code === '42P01' || code === '3F000') return `its database has no schema "${schema}" of this engine`;
  return error instanceof Error ? error.message : String(error);
}

// ORMs wrap the driver's error.
function sqlState(error: unknown): string | undefined {
  return codeOf(error) ?? (error instanceof Error ? codeOf(error.cause) : undefined);
}

// Transactional steps, and data sources for them.

import { requireRun } from '../run/context.js';
import { runTransactionIn, type DataSource, type Isolation } from '../run/run-transaction.js';
import { textFor } from '../store/sql.js';
import type { RawQuery } from '../store/transactions.js';
import { checkName } from '../values/ids.js';
import { PerdureError } from '../values/errors.js';
import { refuseUnknown } from '../values/unknown-options.js';
import { requireFunction } from './workflow.js';

/** Options of a transaction. */
export interface TransactionOptions {
  /** Default: read committed. */
  readonly isolation?: Isolation;
  /** Writes nothing, not even that it happened: after a crash it reads again. Default: false. */
  readonly readOnly?: boolean;
}

const isolations: readonly Isolation[] = ['read committed', 'repeatable read', 'serializable'];

/**
 * A step whose writes happen exactly once: they commit together with the fact that the step is done. What it throws rolls
 * everything back and is recorded as the step's error. Serialization failures and deadlocks are tried again.
 * Throws NOT_IN_RUN, IN_STEP, NAME_INVALID, OPTION_INVALID.
 *
 * @example
 * const paymentId = await runTransaction('pay', ledger, async (client) => {
 *   const { rows } = await client.query('insert into payments (order_id) values ($1) returning id', [order.id]);
 *   return rows[0].id;
 * });
 */
export async function runTransaction<Transaction, Result>(
  name: string,
  source: DataSource<Transaction>,
  body: (transaction: Transaction) => Promise<Result>,
  options: TransactionOptions = {},
): Promise<Result> {
  const run = requireRun('runTransaction');
  refuseUnknown(options, { isolation: true, readOnly: true }, 'transactions');
  const { isolation = 'read committed', readOnly: isReadOnly = false } = options;
  if (!isolations.includes(isolation)) {
    const reason = `it is none of ${isolations.join(', ')}`;
    throw new PerdureError('OPTION_INVALID', { option: 'isolation', value: isolation, reason });
  }
  requireSource(source);
  requireFunction(body, 'transaction', name);
  const definition = { name: checkName('step', name), source, isolation, isReadOnly, body };
  return (await runTransactionIn(run, definition)) as Result;
}

// For programs without types, which may pass the pool itself.
function requireSource<Transaction>(source: DataSource<Transaction>): void {
  const given: Partial<DataSource<Transaction>> | null | undefined = source;
  if (typeof given?.transaction === 'function' && typeof given.use === 'function') return;
  const reason = 'make one with pgSource(), or see DataSource';
  throw new PerdureError('OPTION_INVALID', { option: 'source', value: typeof given, reason });
}

/** The part of a client of `pg` that transactions use. */
export interface PgClient {
  query<Row extends Record<string, unknown> = Record<string, unknown>>(
    text: string,
    values?: unknown[],
  ): Promise<{ rows: Row[]; rowCount: number | null }>;
}

/** The part of a pool of `pg` that a data source uses. */
export interface PgPool<Client extends PgClient> {
  connect(): Promise<Client & { release(error?: Error | boolean): void }>;
}

/** Options of a data source. */
export interface DataSourceOptions {
  /** Whether it is the database that the engine works in. Default: true. */
  readonly isEngineDatabase?: boolean;
  /** The schema of `transaction_results`: the engine's schema there. Default: `perdure`. */
  readonly schema?: string;
}

/**
 * A data source on a pool of `pg`: transactions get a client of it. The pool stays the caller's, who ends it.
 *
 * Name the client's type to have all of it in transactions: `pgSource<pg.PoolClient>(pool)`.
 *
 * @example
 * const ledger = pgSource(new pg.Pool({ connectionString: process.env.DATABASE_URL }));
 */
export function pgSource<Client extends PgClient>(
  pool: PgPool<Client>,
  options: DataSourceOptions = {},
): DataSource<Client> {
  refuseUnknown(options, { isEngineDatabase: true, schema: true }, 'data sources');
  const given: Partial<PgPool<Client>> | null | undefined = pool;
  if (typeof given?.connect !== 'function')
    throw new PerdureError('OPTION_INVALID', { option: 'pool', value: pool, reason: 'give a pool of pg' });
  const { isEngineDatabase = true, schema = 'perdure' } = options;
  return {
    isEngineDatabase,
    schema,
    use: rawQuery,
    async transaction({ isolation, isReadOnly }, work) {
      const client = await pool.connect();
      let fault: Error | undefined;
      try {
        await client.query(`begin isolation level ${isolation}${isReadOnly ? ' read only' : ''}`);
        const result = await work(client);
        await client.query('commit');
        return result;
      } catch (error) {
        // A connection that cannot even roll back is not given to anybody else.
        await client.query('rollback').catch((failure: Error) => (fault = failure));
        throw error;
      } finally {
        client.release(fault);
      }
    },
  };
}

/** The SQL that a database of the application needs for transactional steps, when it is not the engine's. Throws NAME_INVALID. */
export function printTransactionSchema(schema = 'perdure'): string {
  checkName('schema', schema);
  return textFor(
    `create schema if not exists {schema};
create table if not exists {schema}.transaction_results (
  run_id text collate "C" not null,
  name text not null,
  occurrence int not null,
  output text,
  committed_at timestamptz not null default now(),
  primary key (run_id, name, occurrence)
);`,
    schema,
  );
}

/** A client of `pg` for the engine's own statements. */
export function rawQuery(client: PgClient): RawQuery {
  return async (text, values) => (await client.query(text, [...values])).rows;
}

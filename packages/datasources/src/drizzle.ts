// Transactions of Drizzle, on any of its Postgres drivers.

import { sql, type SQL } from 'drizzle-orm';
import type { DataSource, RawQuery } from 'perdure';
import { placeOf, rowsOf, type DataSourceOptions } from './options.js';
import { partsOf } from './statement-parts.js';

export type { DataSourceOptions } from './options.js';

/** The part of a Drizzle transaction that a data source uses. */
export interface DrizzleTransaction {
  execute(query: SQL): PromiseLike<unknown>;
}

/** The part of a Drizzle database that a data source uses. */
export interface DrizzleDatabase<Transaction> {
  transaction<T>(
    work: (transaction: Transaction) => Promise<T>,
    options?: {
      isolationLevel?: 'read committed' | 'repeatable read' | 'serializable';
      accessMode?: 'read only' | 'read write';
    },
  ): Promise<T>;
}

/**
 * A data source on a Drizzle database with interactive transactions: node-postgres, postgres.js and their like.
 * The database stays the caller's, who closes it.
 *
 * @example
 * const ledger = drizzleSource(drizzle(pool));
 * const id = await runTransaction('pay', ledger, async (tx) => {
 *   const [payment] = await tx.insert(payments).values({ order: order.id }).returning();
 *   return payment.id;
 * });
 */
export function drizzleSource<Transaction extends DrizzleTransaction>(
  database: DrizzleDatabase<Transaction>,
  options: DataSourceOptions = {},
): DataSource<Transaction> {
  return {
    ...placeOf(options),
    use: rawQuery,
    transaction: ({ isolation, isReadOnly }, work) =>
      database.transaction(work, { isolationLevel: isolation, accessMode: isReadOnly ? 'read only' : 'read write' }),
  };
}

function rawQuery(transaction: DrizzleTransaction): RawQuery {
  return async (text, values) => {
    const parts = partsOf(text, values);
    const chunks = parts.texts.flatMap((part, index) =>
      index === 0 ? [sql.raw(part)] : [sql.param(parts.values[index - 1]), sql.raw(part)],
    );
    // postgres.js gives the rows themselves, the other drivers a result that has them.
    return rowsOf(await transaction.execute(sql.join(chunks)), 'Drizzle');
  };
}

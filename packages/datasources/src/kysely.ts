// Transactions of Kysely.

import { CompiledQuery, type Kysely, type Transaction } from 'kysely';
import type { DataSource, RawQuery } from 'perdure';
import { placeOf, type DataSourceOptions } from './options.js';

export type { DataSourceOptions } from './options.js';

/**
 * A data source on a Kysely database of the Postgres dialect. The database stays the caller's, who destroys it.
 *
 * @example
 * const ledger = kyselySource(database);
 * const id = await runTransaction('pay', ledger, async (trx) => {
 *   const payment = await trx.insertInto('payments').values({ order: order.id }).returning('id').executeTakeFirstOrThrow();
 *   return payment.id;
 * });
 */
export function kyselySource<Schema>(
  database: Kysely<Schema>,
  options: DataSourceOptions = {},
): DataSource<Transaction<Schema>> {
  return {
    ...placeOf(options),
    use: rawQuery,
    transaction: ({ isolation, isReadOnly }, work) =>
      database
        .transaction()
        .setIsolationLevel(isolation)
        .setAccessMode(isReadOnly ? 'read only' : 'read write')
        .execute(work),
  };
}

function rawQuery<Schema>(transaction: Transaction<Schema>): RawQuery {
  return async (text, values) =>
    (await transaction.executeQuery<Record<string, unknown>>(CompiledQuery.raw(text, [...values]))).rows;
}

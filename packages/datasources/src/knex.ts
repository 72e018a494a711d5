// Transactions of Knex, which Objection and others use as well.

import type { DataSource, RawQuery } from 'perdure';
import { placeOf, rowsOf, type DataSourceOptions } from './options.js';
import { partsOf } from './statement-parts.js';

export type { DataSourceOptions } from './options.js';

/** The part of a Knex transaction that a data source uses. */
export interface KnexTransaction {
  raw(text: string, bindings: readonly unknown[]): PromiseLike<unknown>;
}

/** The part of Knex that a data source uses. */
export interface KnexDatabase<Transaction> {
  transaction<T>(
    work: (transaction: Transaction) => Promise<T>,
    options?: { isolationLevel?: 'read committed' | 'repeatable read' | 'serializable'; readOnly?: boolean },
  ): Promise<T>;
}

/**
 * A data source on Knex with the client `pg`. It stays the caller's, who destroys it.
 *
 * @example
 * const ledger = knexSource(knex);
 * const id = await runTransaction('pay', ledger, async (trx) => {
 *   const [payment] = await trx('payments').insert({ order: order.id }).returning('id');
 *   return payment.id;
 * });
 */
export function knexSource<Transaction extends KnexTransaction>(
  database: KnexDatabase<Transaction>,
  options: DataSourceOptions = {},
): DataSource<Transaction> {
  return {
    ...placeOf(options),
    use: rawQuery,
    transaction: ({ isolation, isReadOnly }, work) =>
      database.transaction(work, { isolationLevel: isolation, readOnly: isReadOnly }),
  };
}

// Knex has `?` for parameters, and no value for undefined.
function rawQuery(transaction: KnexTransaction): RawQuery {
  return async (text, values) => {
    const parts = partsOf(text, values);
    const result = await transaction.raw(
      parts.texts.map((part) => part.replaceAll('?', String.raw`\?`)).join('?'),
      parts.values,
    );
    return rowsOf(result, 'Knex');
  };
}

// Transactions of TypeORM.

import type { DataSource, RawQuery } from 'perdure';
import { placeOf, rowsOf, type DataSourceOptions } from './options.js';

export type { DataSourceOptions } from './options.js';

/** The part of TypeORM's entity manager that a data source uses. */
export interface TypeOrmManager {
  query(text: string, values?: unknown[]): Promise<unknown>;
}

/** The part of TypeORM's own DataSource that a data source uses. */
export interface TypeOrmDataSource<Manager> {
  transaction<T>(
    isolation: 'READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE',
    work: (manager: Manager) => Promise<T>,
  ): Promise<T>;
}

const isolations = {
  'read committed': 'READ COMMITTED',
  'repeatable read': 'REPEATABLE READ',
  serializable: 'SERIALIZABLE',
} as const;

/**
 * A data source on TypeORM's DataSource of that name; transactions get an EntityManager. It stays the caller's, who destroys it.
 *
 * @example
 * const ledger = typeOrmSource(appDataSource);
 * const id = await runTransaction('pay', ledger, async (manager) => {
 *   const payment = await manager.save(Payment, { order: order.id });
 *   return payment.id;
 * });
 */
export function typeOrmSource<Manager extends TypeOrmManager>(
  database: TypeOrmDataSource<Manager>,
  options: DataSourceOptions = {},
): DataSource<Manager> {
  return {
    ...placeOf(options),
    use: rawQuery,
    transaction: ({ isolation, isReadOnly }, work) =>
      database.transaction(isolations[isolation], async (manager) => {
        if (isReadOnly) await manager.query('set transaction read only');
        return work(manager);
      }),
  };
}

// A select and an insert answer with their rows; the engine's statements are nothing else.
function rawQuery(manager: TypeOrmManager): RawQuery {
  return async (text, values) => rowsOf(await manager.query(text, [...values]), 'TypeORM');
}

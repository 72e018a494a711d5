// Every library that a data source is for: how it is opened, how it runs a statement in a transaction of its own, and how it
// is closed. The contract in contract.ts is tested with each.

import { drizzle as drizzlePg } from 'drizzle-orm/node-postgres';
import { drizzle as drizzlePostgres } from 'drizzle-orm/postgres-js';
import { sql, type SQL } from 'drizzle-orm';
import knex from 'knex';
import { CompiledQuery, Kysely, PostgresDialect } from 'kysely';
import { pgSource, type DataSource } from 'perdure';
import pg from 'pg';
import postgres from 'postgres';
import { DataSource as TypeOrm } from 'typeorm';
import { drizzleSource } from '../../src/drizzle.js';
import { knexSource } from '../../src/knex.js';
import { kyselySource } from '../../src/kysely.js';
import { typeOrmSource } from '../../src/typeorm.js';

/** A library, opened. */
export interface Adapter<Transaction> {
  readonly source: DataSource<Transaction>;
  /** Runs a statement without parameters in the transaction, through the library itself. Returns the rows. */
  run(transaction: Transaction, statement: string): Promise<unknown>;
  /** Runs one outside of transactions. */
  runAlone(statement: string): Promise<unknown>;
  close(): Promise<unknown>;
}

/** Hands an adapter to whoever works with any. */
export type UseAdapter<T> = <Transaction>(adapter: Adapter<Transaction>) => T;

/** Opens a library on a database. */
export type OpenAdapter = <T>(url: string, use: UseAdapter<T>) => Promise<T>;

interface Execute {
  execute(query: SQL): PromiseLike<unknown>;
}

const executeIn = async (transaction: Execute, statement: string): Promise<unknown> => {
  const result = await transaction.execute(sql.raw(statement));
  return typeof result === 'object' && result !== null && 'rows' in result ? result.rows : result;
};

function openPool(url: string): pg.Pool {
  // The database is dropped while connections of it are idle.
  return new pg.Pool({ connectionString: url }).on('error', () => undefined);
}

/** By name. */
export const adapters: Readonly<Record<string, OpenAdapter>> = {
  pg: async (url, use) => {
    const pool = openPool(url);
    return use<pg.PoolClient>({
      source: pgSource<pg.PoolClient>(pool),
      run: async (client, statement) => (await client.query<Record<string, unknown>>(statement)).rows,
      runAlone: async (statement) => (await pool.query<Record<string, unknown>>(statement)).rows,
      close: () => pool.end(),
    });
  },
  'drizzle on node-postgres': async (url, use) => {
    const pool = openPool(url);
    const database = drizzlePg({ client: pool });
    return use({
      source: drizzleSource(database),
      run: executeIn,
      runAlone: (statement) => executeIn(database, statement),
      close: () => pool.end(),
    });
  },
  'drizzle on postgres.js': async (url, use) => {
    const client = postgres(url, { max: 4, onnotice: () => undefined });
    const database = drizzlePostgres({ client });
    return use({
      source: drizzleSource(database),
      run: executeIn,
      runAlone: (statement) => executeIn(database, statement),
      close: () => client.end({ timeout: 1 }),
    });
  },
  typeorm: async (url, use) => {
    const database = new TypeOrm({ type: 'postgres', url, poolErrorHandler: () => undefined });
    await database.initialize();
    return use({
      source: typeOrmSource(database),
      run: (manager, statement) => manager.query(statement),
      runAlone: (statement) => database.query(statement),
      close: () => database.destroy(),
    });
  },
  kysely: async (url, use) => {
    const database = new Kysely<Record<string, never>>({ dialect: new PostgresDialect({ pool: openPool(url) }) });
    const rows = async (result: Promise<{ rows: unknown[] }>): Promise<unknown[]> => (await result).rows;
    return use({
      source: kyselySource(database),
      run: (transaction, statement) => rows(transaction.executeQuery(CompiledQuery.raw(statement))),
      runAlone: (statement) => rows(database.executeQuery(CompiledQuery.raw(statement))),
      close: () => database.destroy(),
    });
  },
  knex: async (url, use) => {
    const database = knex({ client: 'pg', connection: url });
    const rows = async (result: PromiseLike<{ rows: unknown[] }>): Promise<unknown[]> => (await result).rows;
    return use({
      source: knexSource(database),
      run: (transaction, statement) => rows(transaction.raw<{ rows: unknown[] }>(statement)),
      runAlone: (statement) => rows(database.raw<{ rows: unknown[] }>(statement)),
      close: () => database.destroy(),
    });
  },
};

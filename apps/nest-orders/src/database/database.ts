// The shop's own data, in the database that the engine uses as well: so an order and its run can be one transaction.

import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { pgSource, type DataSource } from 'perdure';
import { Pool, type PoolClient, type QueryResultRow } from 'pg';
import { Settings } from '../settings.js';
import { tables } from './tables.js';

@Injectable()
export class Database implements OnModuleInit, OnModuleDestroy {
  readonly #pool: Pool;
  /** For transactional steps: `runTransaction('reserve', database.source, …)`. */
  readonly source: DataSource<PoolClient>;

  constructor({ databaseUrl }: Settings) {
    this.#pool = new Pool({ connectionString: databaseUrl });
    this.#pool.on('error', () => undefined); // an idle connection broke; the next query gets another one
    this.source = pgSource<PoolClient>(this.#pool);
  }

  async onModuleInit(): Promise<void> {
    await this.transaction(async (client) => {
      await client.query("select pg_advisory_xact_lock(hashtext('the tables of the shop'))"); // several processes boot at once
      await client.query(tables);
    });
  }

  async onModuleDestroy(): Promise<void> {
    await this.#pool.end();
  }

  async query<Row extends QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.#pool.query<Row>(text, [...values])).rows;
  }

  /** Commits what `work` has done, or nothing of it if it throws. */
  async transaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    return this.source.transaction({ isolation: 'read committed', isReadOnly: false }, work);
  }
}

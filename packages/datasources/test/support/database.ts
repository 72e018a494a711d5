// A migrated database per test file, and engines on it that are closed after each test.

import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { createTestDatabase, ensureTemplate, type TestDatabase } from '@perdure/testing';
import { createEngine, printMigrations, silentLogger, type Engine, type EngineOptions } from 'perdure';
import pg from 'pg';

/** The database of one test file. */
export interface SourceDatabase {
  readonly url: string;
  launchEngine(options: Partial<EngineOptions>): Promise<Engine>;
  query(statement: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
}

/** Call it once at the top of a test file. */
export function useSourceDatabase(): SourceDatabase {
  const engines: Engine[] = [];
  let database: TestDatabase | undefined;
  let pool: pg.Pool | undefined;
  beforeAll(async () => {
    const script = `${printMigrations('perdure')} create table payments (id serial primary key, run_id text not null);
      create table counters (id int primary key, n int not null);`;
    const migrate = async (url: string): Promise<void> => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      await client.query(script);
      await client.end();
    };
    const template = await ensureTemplate('datasources', { fingerprint: script, migrate });
    database = await createTestDatabase({ template, prefix: 'perdure_sources' });
    pool = new pg.Pool({ connectionString: database.url, max: 4 }).on('error', () => undefined);
  });
  afterEach(async () => {
    await Promise.all(engines.splice(0).map((engine) => engine.close({ timeout: '1s' })));
  });
  afterAll(async () => {
    await pool?.end();
    await database?.drop();
  });
  const present = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('The database of the test file is there only inside of tests and hooks.');
    return value;
  };
  return {
    get url() {
      return present(database).url;
    },
    launchEngine: async (options) => {
      const engine = createEngine({ database: present(database).url, lease: '1s', logger: silentLogger, ...options });
      engines.push(engine);
      return engine.launch();
    },
    query: async (statement, values = []) =>
      (await present(pool).query<Record<string, unknown>>(statement, values)).rows,
  };
}

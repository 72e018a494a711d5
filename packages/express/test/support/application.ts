// Applications of both Express versions on a database per test file, served on a port of the loopback.

import type { Server } from 'node:http';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '@perdure/testing';
import express5, { type Express } from 'express';
import express4 from 'express4';
import { createEngine, silentLogger, type Engine, type EngineOptions } from 'perdure';
import pg from 'pg';

/** Both versions that the package supports. */
export const versions = [
  { version: 'Express 5', express: express5 },
  { version: 'Express 4', express: express4 },
] as const;

/** The database of one test file, and what was opened on it. */
export interface TestApplications {
  readonly url: string;
  /** An engine that is launched; closed after the test. */
  launchEngine(options?: Partial<EngineOptions>): Promise<Engine>;
  /** Serves an application until the end of the test; resolves to its address. */
  listen(app: Express): Promise<string>;
  query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>;
}

/** Call it once at the top of a test file. */
export function useApplications(): TestApplications {
  let database: TestDatabase | undefined;
  let pool: pg.Pool | undefined;
  const engines: Engine[] = [];
  const servers: Server[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    pool = new pg.Pool({ connectionString: database.url, max: 4 });
    pool.on('error', () => undefined);
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
    await Promise.all(engines.splice(0).map((engine) => engine.close({ timeout: '1s' })));
  });
  afterAll(async () => {
    await pool?.end();
    await database?.drop();
  });

  return {
    get url() {
      return database?.url ?? '';
    },
    launchEngine: async (options) => {
      const engine = createEngine({ database: database?.url, logger: silentLogger, lease: '1s', ...options });
      engines.push(engine);
      return engine.launch();
    },
    listen: (app) =>
      new Promise((resolve) => {
        const server = app.listen(0, '127.0.0.1', () => resolve(addressOf(server)));
        servers.push(server);
      }),
    query: async <Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []) =>
      (await pool?.query<Row>(sql, values))?.rows ?? [],
  };
}

function addressOf(server: Server): string {
  const address = server.address();
  if (typeof address === 'object' && address !== null) return `http://127.0.0.1:${address.port}`;
  throw new Error('The server has no port, so it is not listening.');
}

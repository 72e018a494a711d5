// A migrated database per test file, and engines on it that are closed after each test. The environment variable
// PERDURE_TEST_MODE says how they reach it, so that the same tests run in every way that production has:
// direct (default), pooled (through a PgBouncer in transaction mode) and polling (without LISTEN).

import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { fileURLToPath } from 'node:url';
import {
  createTestDatabase,
  ensureTemplate,
  spawnProcess,
  startPgBouncer,
  type PgBouncer,
  type SpawnedProcess,
  type SpawnOptions,
  type TestDatabase,
} from '@perdure/testing';
import pg from 'pg';
import { createEngine, printMigrations, silentLogger, type Engine, type EngineOptions } from '../../src/index.js';
import { engineOptionsVariable } from './child-engine.js';

/** How the engines of a test reach the database. */
export type TestMode = 'direct' | 'pooled' | 'polling';

/** Options of an engine whose database is the test's. */
export type TestEngineOptions = Partial<EngineOptions>;

/** The database of one test file. */
export interface EngineDatabase {
  /** Reaches it directly, in every mode. */
  readonly url: string;
  /** Reaches it as the engines of this mode do. */
  readonly engineUrl: string;
  readonly mode: TestMode;
  /** An engine that is not launched yet; closed after the test. */
  createEngine(options?: TestEngineOptions): Engine;
  /** An engine that is launched; closed after the test. */
  launchEngine(options?: TestEngineOptions): Promise<Engine>;
  /** Runs SQL on a direct connection; the engine's schema is `perdure`. */
  query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** A direct connection of one's own, for locks and transactions; ended after the test. */
  connect(): Promise<pg.Client>;
  /**
   * Starts packages/engine/test/programs/<name>.ts in a process of its own; there `launchChildEngine` makes an engine
   * with these options. Killed after the test.
   */
  spawn(name: string, options?: SpawnOptions & { readonly engine?: ChildEngineOptions }): SpawnedProcess;
}

/** Options of an engine in another process: those that JSON can carry. */
export type ChildEngineOptions = Omit<TestEngineOptions, 'database' | 'workflows' | 'logger'>;

// Short, so that a takeover takes a second or two; long enough for a busy machine.
const quickOptions = { lease: '1s' } as const;

/**
 * Call it once at the top of a test file.
 *
 * @example
 * const db = useEngineDatabase();
 *
 * test('…', async () => {
 *   const engine = await db.launchEngine({ workflows: [greet] });
 */
export function useEngineDatabase(): EngineDatabase {
  const mode = testMode();
  let database: TestDatabase | undefined;
  let pooler: PgBouncer | undefined;
  let pool: pg.Pool | undefined;
  const engines: Engine[] = [];
  const clients: pg.Client[] = [];
  const children: SpawnedProcess[] = [];

  beforeAll(async () => {
    database = await createTestDatabase({ template: await migratedTemplate(), prefix: 'perdure_engine' });
    pool = new pg.Pool({ connectionString: database.url, max: 4 });
    pool.on('error', () => undefined);
    if (mode === 'pooled') pooler = await requirePooler(database.url);
  });
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(children.splice(0).map((child) => child.exited));
    await Promise.all(clients.splice(0).map((client) => client.end())); // a lock of a failed test ends with its connection
    await Promise.all(engines.splice(0).map((engine) => engine.close({ timeout: '1s' })));
  });
  afterAll(async () => {
    await pool?.end();
    await pooler?.stop();
    await database?.drop();
  });

  const reach = (): { database: string; directDatabase?: string; listen?: boolean; pollInterval?: string } => {
    const url = present(database).url;
    if (mode === 'pooled') return { database: present(pooler).url, directDatabase: url };
    return mode === 'polling' ? { database: url, listen: false, pollInterval: '50ms' } : { database: url };
  };
  const create = (options: TestEngineOptions = {}): Engine => {
    const engine = createEngine({ ...quickOptions, logger: silentLogger, ...reach(), ...options });
    engines.push(engine);
    return engine;
  };

  return {
    mode,
    get url() {
      return present(database).url;
    },
    get engineUrl() {
      return reach().database;
    },
    createEngine: create,
    launchEngine: (options) => create(options).launch(),
    query: async <Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []) =>
      (await present(pool).query<Row>(sql, values)).rows,
    connect: async () => {
      const client = new pg.Client({ connectionString: present(database).url });
      client.on('error', () => undefined);
      clients.push(client);
      await client.connect();
      return client;
    },
    spawn: (name, { engine = {}, env, ...options } = {}) => {
      const child = spawnProcess(fileURLToPath(new URL(`../programs/${name}.ts`, import.meta.url)), {
        ...options,
        env: { ...env, [engineOptionsVariable]: JSON.stringify({ ...quickOptions, ...reach(), ...engine }) },
      });
      children.push(child);
      return child;
    },
  };
}

/** The name of a database with the engine's schema and no runs, to be cloned. */
function migratedTemplate(): Promise<string> {
  const script = printMigrations('perdure');
  const migrate = async (url: string): Promise<void> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(script);
    await client.end();
  };
  return ensureTemplate('engine', { fingerprint: script, migrate });
}

function testMode(): TestMode {
  const mode = process.env['PERDURE_TEST_MODE'] || 'direct';
  if (mode === 'direct' || mode === 'pooled' || mode === 'polling') return mode;
  throw new Error(`PERDURE_TEST_MODE is "${mode}", so no test can run. Make it direct, pooled or polling.`);
}

async function requirePooler(url: string): Promise<PgBouncer> {
  const pooler = await startPgBouncer(url);
  if (pooler !== undefined) return pooler;
  throw new Error('PERDURE_TEST_MODE is "pooled", but PgBouncer is not installed. Install it or choose another mode.');
}

function present<T>(value: T | undefined): T {
  if (value !== undefined) return value;
  throw new Error('The database of the test file is there only inside of tests and hooks.');
}

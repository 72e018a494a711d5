// A server with fsync for one test file, with the engine's schema and a table in which steps note their effects; engines
// in this process and workers in others.

import { afterAll, afterEach, beforeAll, jest } from '@jest/globals';
import { startDurableCluster, spawnProcess, type DurableCluster, type SpawnedProcess } from '@perdure/testing';
import { createEngine, printMigrations, silentLogger, type Engine, type EngineOptions } from 'perdure';
import pg from 'pg';
import { fileURLToPath } from 'node:url';
import type { World } from '../programs/workflows.js';
import { startProxy, type Proxy } from './proxy.js';
import { effectsTable } from './effects.js';
import { workerVariable, type WorkerOptions } from './worker-options.js';

/** The database of one test file. */
export interface DurableDatabase {
  readonly url: string;
  readonly cluster: DurableCluster;
  /** Runs SQL; a lost connection is replaced. */
  query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** A connection of one's own; ended after the test. */
  connect(): Promise<pg.Client>;
  /** A proxy before it; stopped after the test. */
  startProxy(): Promise<Proxy>;
  /** An engine in this process; closed after the test. */
  launchEngine(options?: Partial<EngineOptions>): Promise<Engine>;
  /** What the workflows of programs/workflows.ts need to run in this process. */
  readonly world: World;
  /** A process that hosts the workflows of programs/workflows.ts and says "ready"; killed after the test. */
  spawnWorker(options?: WorkerOptions): SpawnedProcess;
}

/** Call it once at the top of a test file. */
export function useDurableDatabase(): DurableDatabase {
  jest.setTimeout(60_000);
  let cluster: DurableCluster | undefined;
  let pool: pg.Pool | undefined;
  const cleanups: (() => unknown)[] = [];

  beforeAll(async () => {
    cluster = await startDurableCluster();
    pool = new pg.Pool({ connectionString: cluster.url, max: 4, application_name: 'test' });
    pool.on('error', () => undefined);
    await pool.query(`${printMigrations('perdure')}; ${effectsTable}`);
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    // What a test has left unfinished must not be claimed by the workers of the next.
    const tables = 'runs, perdure.steps, perdure.step_attempts, perdure.executors, perdure.open_claims';
    await pool?.query(`truncate perdure.${tables}, effects`);
  });
  afterAll(async () => {
    await pool?.end();
    await cluster?.stop();
  });

  const url = (): string => present(cluster).url;
  return {
    get url() {
      return url();
    },
    get cluster() {
      return present(cluster);
    },
    get world() {
      return { pool: present(pool), engine: undefined };
    },
    query: async <Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []) =>
      (await present(pool).query<Row>(sql, values)).rows,
    connect: async () => {
      const client = new pg.Client({ connectionString: url(), application_name: 'test' });
      client.on('error', () => undefined);
      cleanups.push(() => client.end());
      await client.connect();
      return client;
    },
    startProxy: async () => {
      const proxy = await startProxy(url());
      cleanups.push(() => proxy.stop());
      return proxy;
    },
    launchEngine: async (options = {}) => {
      const engine = createEngine({ database: url(), logger: silentLogger, lease: '1s', ...options });
      cleanups.push(() => engine.close({ timeout: 0 }));
      return engine.launch();
    },
    spawnWorker: ({ crashAt, clockAheadMs = 0, ...options } = {}) => {
      const worker = spawnProcess(fileURLToPath(new URL('../programs/worker.ts', import.meta.url)), {
        env: { [workerVariable]: JSON.stringify({ database: url(), ...options }) },
        nodeOptions: [`--import=${new URL(`../programs/shift-clock.mjs?ms=${clockAheadMs}`, import.meta.url).href}`],
        ...(crashAt === undefined ? {} : { crashAt }),
      });
      cleanups.push(() => (worker.kill('SIGKILL'), worker.exited));
      return worker;
    },
  };
}

function present<T>(value: T | undefined): T {
  if (value !== undefined) return value;
  throw new Error('The database of the test file is there only inside of tests and hooks.');
}

// A migrated database per test file, and Nest applications on it that are closed after each test.

import 'reflect-metadata';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import type { INestApplicationContext, ModuleMetadata } from '@nestjs/common';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { createTestDatabase, ensureTemplate, type TestDatabase } from '@perdure/testing';
import { printMigrations, silentLogger } from 'perdure';
import pg from 'pg';
import { PerdureModule, type PerdureRootOptions } from '../../src/index.js';

/** The database of one test file. */
export interface NestDatabase {
  readonly url: string;
  /** Options of a module on it: quick takeovers, no logs. */
  options(options?: Partial<PerdureRootOptions>): PerdureRootOptions;
  /** An application context that has the module and what else is named, booted; closed after the test. */
  boot(
    metadata: ModuleMetadata,
    change?: (builder: TestingModuleBuilder) => TestingModuleBuilder,
  ): Promise<INestApplicationContext>;
  /** The same, with an engine of these options. */
  bootWith(options: Partial<PerdureRootOptions>, metadata: ModuleMetadata): Promise<INestApplicationContext>;
  /** Closes it after the test, if the test has not. */
  closeLater<App extends { close(): Promise<void> }>(app: App): App;
}

/** Call it once at the top of a test file. */
export function useNestDatabase(): NestDatabase {
  let database: TestDatabase | undefined;
  const apps: { close(): Promise<void> }[] = [];

  beforeAll(async () => {
    database = await createTestDatabase({ template: await migratedTemplate(), prefix: 'perdure_nest' });
  });
  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.close()));
  });
  afterAll(async () => {
    await database?.drop();
  });

  const url = (): string => {
    if (database === undefined)
      throw new Error('The database of the test file is there only inside of tests and hooks.');
    return database.url;
  };
  const options: NestDatabase['options'] = (more = {}) => ({
    database: url(),
    lease: '1s',
    logger: silentLogger,
    ...more,
  });
  const closeLater: NestDatabase['closeLater'] = (app) => {
    apps.push(app);
    return app;
  };
  const bootModule = async (
    more: Partial<PerdureRootOptions>,
    { imports = [], ...metadata }: ModuleMetadata,
    change: (builder: TestingModuleBuilder) => TestingModuleBuilder = (builder) => builder,
  ): Promise<INestApplicationContext> => {
    const root = PerdureModule.forRoot(options(more));
    const builder = change(Test.createTestingModule({ imports: [root, ...imports], ...metadata }));
    const app = await builder.compile();
    return closeLater(await app.init()); // Nest 11 cannot close what has not booted
  };
  return {
    get url() {
      return url();
    },
    options,
    boot: (metadata, change) => bootModule({}, metadata, change),
    bootWith: (more, metadata) => bootModule(more, metadata),
    closeLater,
  };
}

/** The name of a database with the engine's schema and no runs, to be cloned. */
function migratedTemplate(): Promise<string> {
  const script = printMigrations('perdure');
  const migrate = async (databaseUrl: string): Promise<void> => {
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    await client.query(script);
    await client.end();
  };
  return ensureTemplate('engine', { fingerprint: script, migrate });
}

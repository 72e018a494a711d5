// A Nest application under test: its modules and providers as they are or overridden, its engine on a database of its own whose time
// is the test's.

import type { INestApplicationContext, ModuleMetadata } from '@nestjs/common';
import { Test, type TestingModule, type TestingModuleBuilder } from '@nestjs/testing';
import {
  createTestEngine,
  createVirtualDatabase,
  type TestDatabase,
  type TestEngine,
  type TestEngineOptions,
} from '@perdure/testing';
import { PerdureError, type EngineOptions } from 'perdure';
import { defaultEngine, getEngineFactoryToken } from '../tokens.js';

/** Options of a test: those of its engine, which go before those of the application's module, and how the application is made. */
export interface PerdureTestOptions<App extends INestApplicationContext> extends Omit<
  TestEngineOptions,
  'workflows' | 'database'
> {
  /**
   * Overrides providers, as `Test.createTestingModule` is used elsewhere. `database.url` is for an application that has tables of its own
   * beside those of the engine.
   */
  readonly override?: (builder: TestingModuleBuilder, database: TestDatabase) => TestingModuleBuilder;
  /** Makes an application of the module, for HTTP: `(module) => module.createNestApplication()`. Default: the module itself. */
  readonly application?: (module: TestingModule) => App;
  /** The name of the engine that is tested. Default: the one without a name. */
  readonly name?: string;
}

/** An application under test, and what a test wants to know of its engine or do to it. */
export interface PerdureTest<App> extends Pick<
  TestEngine,
  'engine' | 'clock' | 'stepsOf' | 'waitForStatus' | 'waitForStep' | 'crash' | 'crashAt' | 'mockStep'
> {
  /** Booted. `app.get(OrdersService)` */
  readonly app: App;
  /** Closes the application, and drops the database. Safe to repeat. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Boots an application with its engine on a new database, with virtual time: days of sleep take milliseconds. The application imports
 * `PerdureModule` as ever; its option `database` is not used. Throws what booting throws.
 *
 * @example
 * const { app, engine, clock, close } = await createPerdureTest(
 *   { imports: [AppModule] },
 *   { override: (builder) => builder.overrideProvider(Payments).useValue(fakePayments) },
 * );
 * const run = await engine.startWorkflow(CheckoutWorkflow, order);
 * await clock.advance('3 days');
 */
export async function createPerdureTest<App extends INestApplicationContext = TestingModule>(
  metadata: ModuleMetadata,
  options: PerdureTestOptions<App> = {},
): Promise<PerdureTest<App>> {
  const { override, application, name = defaultEngine, ...engineOptions } = options;
  const database = await createVirtualDatabase({ schema: options.schema, startsAt: options.startsAt });
  const made: { test?: TestEngine } = {};
  const makeEngine = async (given: EngineOptions): Promise<TestEngine['engine']> => {
    made.test = await createTestEngine({ ...testable(given), ...engineOptions, database });
    return made.test.engine;
  };
  const builder = Test.createTestingModule(metadata).overrideProvider(getEngineFactoryToken(name)).useValue(makeEngine);
  try {
    const module = await (override === undefined ? builder : override(builder, database)).compile();
    const app = application === undefined ? (module as INestApplicationContext as App) : application(module);
    return under(await app.init(), name, made.test);
  } catch (error) {
    await (made.test?.close() ?? database.drop());
    throw error;
  }
}

function under<App extends INestApplicationContext>(
  app: App,
  name: string,
  test: TestEngine | undefined,
): PerdureTest<App> {
  if (test === undefined) {
    const fault = `the application has no PerdureModule of the engine "${name}", so there is no engine to test; import PerdureModule.forRoot({}) in the metadata of the test, or check the option name`;
    throw new PerdureError('CONFIG_INVALID', { faults: [fault] });
  }
  const { engine, clock, stepsOf, waitForStatus, waitForStep, crash, crashAt, mockStep } = test;
  const close = async (): Promise<void> => {
    await app.close();
    await test.close();
  };
  return {
    app,
    engine,
    clock,
    stepsOf,
    waitForStatus,
    waitForStep,
    crash,
    crashAt,
    mockStep,
    close,
    [Symbol.asyncDispose]: close,
  };
}

// The database is the test's, and so is how runs are parked; a test hears of the engine's log when it asks for it.
function testable({
  database: _database,
  directDatabase: _direct,
  migrate: _migrate,
  logger: _logger,
  parkAfter: _parkAfter,
  ...others
}: EngineOptions): TestEngineOptions {
  return others;
}

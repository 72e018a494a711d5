// An engine on a database of its own, whose time is the test's.

import { types } from 'node:util';
import { PerdureError, refuseUnknown, type EngineOptions } from 'perdure';
import { endWithTest } from './end-with-test.js';
import { TestClock } from './test-clock.js';
import type { TestDatabase } from './test-database.js';
import { TestEngine } from './test-engine.js';
import { createVirtualDatabase, openTables } from './virtual-database.js';

/** Options of an engine under test: those of an engine, but for the database, and the time. */
export interface TestEngineOptions extends Omit<EngineOptions, 'database' | 'directDatabase' | 'migrate'> {
  /**
   * `virtual`: time passes at its usual pace, and leaps when `clock.advance` says so. `skipping`: it also leaps to whatever is
   * due next while the result of a run is awaited and all runs wait. Default: `virtual`.
   */
  readonly time?: 'virtual' | 'skipping';
  /** What time it is when the engine is launched. Default: now. */
  readonly startsAt?: Date;
  /**
   * A database that `createVirtualDatabase` has made, for what has to know it before there is an engine. It is dropped with the
   * engine, and its own `startsAt` counts. Default: a new one.
   */
  readonly database?: TestDatabase;
}

/**
 * A launched engine on a new database, and the clock of that database. Engines are silent unless given a logger, and runs leave
 * memory as soon as they wait, so that every wait is also a replay. Ends with the test or, if it was made outside of one, with the
 * test file, where the runner has global hooks (Jest; Vitest with `globals`); elsewhere call `close`. Throws OPTION_INVALID, and what `launch` throws.
 *
 * @example
 * const { engine, clock } = await createTestEngine({ workflows: [reminder] });
 * const run = await engine.startWorkflow(reminder, 'ada@example.com');
 * await clock.advance('3 days');
 */
export async function createTestEngine(options: TestEngineOptions = {}): Promise<TestEngine> {
  checkOptions(options);
  const { time = 'virtual', startsAt, schema = 'perdure', database: given, ...others } = options;
  const database = given ?? (await createVirtualDatabase({ schema, startsAt }));
  const { connection, tables } = await openTables(database.url, schema);
  const clock = new TestClock(connection, tables);
  const test = new TestEngine({ database, clock, tables, options: { schema, ...others } });
  endWithTest(test);
  try {
    await test.engine.launch();
  } catch (error) {
    await test.close();
    throw error;
  }
  if (time === 'skipping') clock.startSkipping();
  return test;
}

const known: Readonly<Record<keyof TestEngineOptions, true>> = {
  time: true,
  startsAt: true,
  database: true,
  workflows: true,
  schedules: true,
  steps: true,
  queues: true,
  serveQueues: true,
  schema: true,
  logger: true,
  context: true,
  aroundStep: true,
  lease: true,
  parkAfter: true,
  pollInterval: true,
  listen: true,
  driven: true,
  maxConcurrentRuns: true,
  maxRecoveries: true,
  maxPayloadBytes: true,
  poolSize: true,
};

// An engine warns of a misspelt option, but under test it is silent.
function checkOptions(options: TestEngineOptions): void {
  refuseUnknown(options, known, 'engines under test');
  const { time, startsAt } = options;
  if (time !== undefined && time !== 'virtual' && time !== 'skipping')
    throw invalid('time', time, 'it is neither virtual nor skipping');
  if (startsAt !== undefined && !(types.isDate(startsAt) && Number.isFinite(startsAt.getTime())))
    throw invalid('startsAt', startsAt, 'it is not a date');
}

function invalid(option: string, value: unknown, reason: string): PerdureError {
  return new PerdureError('OPTION_INVALID', { option, value, reason });
}

/** Options of a clock. */
export interface TestClockOptions extends Pick<TestEngineOptions, 'time'> {
  /** The schema of the engine's tables. Default: `perdure`. */
  readonly schema?: string;
}

/**
 * The clock of a database that `createTestEngine` or `createVirtualDatabase` has made, for another process, or for engines that
 * something else makes. Close it before the database is dropped. Throws if the database has no time of its own.
 *
 * @example
 * const clock = await connectTestClock(process.env.DATABASE_URL);
 */
export async function connectTestClock(url: string, options: TestClockOptions = {}): Promise<TestClock> {
  const { schema = 'perdure', time = 'virtual' } = options;
  const { connection, tables } = await openTables(url, schema);
  const clock = new TestClock(connection, tables);
  if (time === 'skipping') clock.startSkipping();
  return clock;
}

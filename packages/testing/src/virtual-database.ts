// Databases with the engine's tables and a time of their own.

import { printMigrations } from 'perdure';
import { openConnection, type Connection } from './connection.js';
import { EngineTables } from './engine-tables.js';
import { createTestDatabase, ensureTemplate, type TestDatabase } from './test-database.js';
import { onTestServer } from './test-server.js';
import { goByClock, installClock, isVirtual, setVirtualTime } from './virtual-time.js';

/** Options of a database with a time of its own. */
export interface VirtualDatabaseOptions {
  /** The schema of the engine's tables. Default: `perdure`. */
  readonly schema?: string | undefined;
  /** What time it is there at first. Default: now. */
  readonly startsAt?: Date | undefined;
}

/**
 * A new database with the engine's tables and a time of its own, for engines that something else makes, such as the module of a
 * framework. Give them `parkAfter: 0`, so that the clock sees what they wait for, and connect to its clock. Drop it in the end.
 *
 * @example
 * const database = await createVirtualDatabase();
 * const clock = await connectTestClock(database.url);
 */
export async function createVirtualDatabase(options: VirtualDatabaseOptions = {}): Promise<TestDatabase> {
  const { schema = 'perdure', startsAt } = options;
  const script = `${installClock}${printMigrations(schema)}`;
  const migrate = (url: string): Promise<void> => withConnection(url, (connection) => connection.query(script));
  const template = await ensureTemplate('virtual', { fingerprint: script, migrate });
  const database = await createTestDatabase({ template });
  await onTestServer(async (client) => void (await client.query(goByClock(database.name))));
  if (startsAt !== undefined)
    await withConnection(database.url, (connection) => setVirtualTime(connection, startsAt.getTime()));
  return database;
}

/** A connection to a virtual database, for its clock, and the engine's tables over it. */
export async function openTables(
  url: string,
  schema: string,
): Promise<{ readonly connection: Connection; readonly tables: EngineTables }> {
  const connection = await openConnection(url);
  if (await isVirtual(connection)) return { connection, tables: new EngineTables(connection, schema) };
  await connection.end();
  throw new Error(
    'The database has no time of its own, so time could not be moved. Make it with createTestEngine; if it was, connect as a ' +
      'role, and by a URL, that sets no search_path.',
  );
}

async function withConnection(url: string, work: (connection: Connection) => Promise<unknown>): Promise<void> {
  const connection = await openConnection(url);
  try {
    await work(connection);
  } finally {
    await connection.end();
  }
}

// Databases with the engine's tables and a time of their own.

import { printMigrations } from 'perdure';
import { Client } from 'pg';
import { EngineTables } from './engine-tables.js';
import { createTestDatabase, ensureTemplate, type TestDatabase } from './test-database.js';
import { onTestServer } from './test-server.js';
import { goByClock, installClock, setVirtualTime } from './virtual-time.js';

/** A new database with the engine's schema, whose time is the test's. `startsAt` sets it. */
export async function createVirtualDatabase(schema: string, startsAt?: Date): Promise<TestDatabase> {
  const script = `${installClock}${printMigrations(schema)}`;
  const migrate = (url: string): Promise<void> => withClient(url, async (client) => void (await client.query(script)));
  const template = await ensureTemplate('virtual', { fingerprint: script, migrate });
  const database = await createTestDatabase({ template });
  await onTestServer(async (client) => void (await client.query(goByClock(database.name))));
  if (startsAt !== undefined) await withClient(database.url, (client) => setVirtualTime(client, startsAt.getTime()));
  return database;
}

/** A connection to a virtual database, for its clock, and the engine's tables over it. */
export async function openTables(url: string, schema: string): Promise<{ client: Client; tables: EngineTables }> {
  const client = new Client({ connectionString: url, application_name: 'perdure-testing' });
  client.on('error', () => undefined); // its statements tell of the loss
  await client.connect();
  return { client, tables: new EngineTables(client, schema) };
}

async function withClient(url: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: url, application_name: 'perdure-testing' });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

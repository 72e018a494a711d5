// Makes sure that a database exists on a running server.

import { Client, escapeIdentifier } from 'pg';

const databaseExists = `
select exists (select from pg_database where datname = $1) as exists
`;
const uniqueViolation = '23505'; // two creators at once: the index speaks before the friendlier check does
const duplicateDatabase = '42P04';
// The server ended between the look at its files and now, or is just coming up or going down.
const unavailable = ['ECONNREFUSED', 'ECONNRESET', '57P01', '57P02', '57P03'];

/**
 * Creates the database unless it exists, and resolves with the server's version, such as "18.4"; finds nothing if the
 * server is not available after all.
 */
export async function openDatabase(serverUrl: string, database: string): Promise<string | undefined> {
  const client = new Client({ connectionString: serverUrl, application_name: 'perdure-embedded' });
  client.on('error', () => undefined); // a lost connection also fails the statement that is being awaited
  try {
    await client.connect();
    return await createAndDescribe(client, database);
  } catch (error) {
    if (unavailable.includes(codeOf(error))) return undefined;
    throw error;
  } finally {
    await client.end();
  }
}

async function createAndDescribe(client: Client, database: string): Promise<string> {
  const { rows } = await client.query<{ exists: boolean }>(databaseExists, [database]);
  if (rows[0]?.exists !== true) await create(client, database);
  const shown = await client.query<{ server_version: string }>('show server_version');
  const [version = 'unknown'] = shown.rows[0]?.server_version.split(' ') ?? []; // Debian adds its own after a space
  return version;
}

async function create(client: Client, database: string): Promise<void> {
  try {
    await client.query(`create database ${escapeIdentifier(database)}`);
  } catch (error) {
    if (![uniqueViolation, duplicateDatabase].includes(codeOf(error))) throw error;
  }
}

function codeOf(error: unknown): string {
  // pg gives connections that ended under a statement a message and no code.
  if (!(error instanceof Error)) return '';
  if ('code' in error) return String(error.code);
  return error.message.startsWith('Connection terminated') ? 'ECONNRESET' : '';
}

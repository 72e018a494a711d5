// The Postgres server that all test files of one run share, and statements on it outside of any test's database.

import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '@perdure/embedded';
import { Client } from 'pg';

/** The environment variable by which the global setup tells the test files where the server is. */
export const testServerVariable = 'PERDURE_TEST_SERVER_URL';

/** Names the folder that the global teardown removes; unset if the server is not ours. */
export const testServerDirectoryVariable = 'PERDURE_TEST_SERVER_DIRECTORY';

// Longer than any pause between two test files; nobody stops it otherwise.
const stopWhenIdleMs = 120_000;

/**
 * The URL of the shared server, as superuser or with the right to create databases: that of Jest's global setup, else that
 * of TEST_DATABASE_URL, else an embedded one that is not durable, shared by all processes of this user.
 */
export async function testServerUrl(): Promise<string> {
  const given = process.env[testServerVariable] || process.env['TEST_DATABASE_URL'];
  if (given) return given;
  const directory = join(tmpdir(), `perdure-shared-test-server-${userInfo().username}`);
  const { url } = await startPostgres({ directory, durable: false, maxConnections: 400, stopWhenIdleMs });
  process.env[testServerVariable] = url;
  return url;
}

/** The same server and user, another database. */
export function withDatabase(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${encodeURIComponent(database)}`;
  return url.href;
}

/** Runs `work` on a connection of its own to the shared server. */
export async function onTestServer<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: await testServerUrl(), application_name: 'perdure-testing' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

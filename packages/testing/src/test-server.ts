// The Postgres server that all test files of one run share, and statements on it outside of any test's database.

import { Client } from 'pg';

/** The environment variable by which the global setup tells the test files where the server is. */
export const testServerVariable = 'PERDURE_TEST_SERVER_URL';

/** Names the folder that the global teardown removes; unset if the server is not ours. */
export const testServerDirectoryVariable = 'PERDURE_TEST_SERVER_DIRECTORY';

/** The URL of the shared server, as superuser or with the right to create databases. */
export function testServerUrl(): string {
  const url = process.env[testServerVariable];
  if (url) return url;
  throw new Error(
    `${testServerVariable} is not set, so there is no server to create a test database on. Add to the Jest configuration: ` +
      `globalSetup: '@perdure/testing/jest-global-setup', globalTeardown: '@perdure/testing/jest-global-teardown'.`,
  );
}

/** The same server and user, another database. */
export function withDatabase(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${encodeURIComponent(database)}`;
  return url.href;
}

/** Runs `work` on a connection of its own to the shared server. */
export async function onTestServer<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: testServerUrl(), application_name: 'perdure-testing' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

// A connection to a test's database. Its type says nothing of the driver, whose types a user need not have.

import { Client } from 'pg';

/** As much of a connection as tests need. */
export interface Connection {
  query<Row extends object>(text: string, values?: unknown[]): Promise<{ readonly rows: Row[] }>;
  end(): Promise<void>;
}

/** Connects; end it. A connection that is lost meanwhile shows in its statements. */
export async function openConnection(url: string): Promise<Connection> {
  const client = new Client({ connectionString: url, application_name: 'perdure-testing' });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

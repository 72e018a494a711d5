// Connections that end with the test file.

import { afterAll } from '@jest/globals';
import { Client } from 'pg';

const open: Client[] = [];

/** A connected client, which forgives the server's death. */
export async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  open.push(client);
  await client.connect();
  return client;
}

afterAll(() => Promise.all(open.map((client) => client.end())));

import { expect, test } from '@jest/globals';
import { Client } from 'pg';
import { findServer } from '../src/find-server.js';
import { startPostgres } from '../src/index.js';
import { eventually } from './eventually.js';
import { temporaryDirectory } from './temporary-directory.js';
import { join } from 'node:path';

const stopWhenIdleMs = 200;
const watchdogIsPatient = `
select exists (
  select from pg_stat_activity
  where application_name = 'perdure-watchdog' and clock_timestamp() - backend_start > interval '1 second'
) as so
`;

test('a server with a client stays; it stops once nobody has used it for a while', async () => {
  const directory = await temporaryDirectory();
  const postgres = await startPostgres({ directory, stopWhenIdleMs });
  const client = new Client(postgres.url);
  await client.connect();

  await eventually('the watchdog has watched for five times the idle time', async () => {
    const { rows } = await client.query<{ so: boolean }>(watchdogIsPatient);
    return rows[0]?.so === true;
  });
  await client.end();

  await eventually('the server has stopped', async () => {
    return (await findServer(join(directory, 'data'))).status === 'none';
  });
  expect((await startPostgres({ directory })).how).toBe('started');
});

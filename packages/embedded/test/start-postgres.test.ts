import { beforeAll, expect, test } from '@jest/globals';
import { startPostgres } from '../src/index.js';
import { query } from './query.js';
import { temporaryDirectory } from './temporary-directory.js';

// A cluster takes most of a second to create, so the tests that need no new one share this; each may stop its server.
let directory: string;
beforeAll(async () => {
  directory = await temporaryDirectory();
  await startPostgres({ directory });
});

test('a first call creates a cluster with the database perdure', async () => {
  const fresh = await temporaryDirectory();

  const postgres = await startPostgres({ directory: fresh });

  expect(postgres).toMatchObject({ how: 'created', directory: fresh });
  expect(postgres.version).toMatch(/^\d+\.\d+$/);
  expect(await query(postgres.url, 'select current_database() as database')).toEqual([{ database: 'perdure' }]);
});

test('a second call attaches to the running server', async () => {
  const first = await startPostgres({ directory });

  const second = await startPostgres({ directory });

  expect(second.how).toBe('attached');
  expect(second.pid).toBe(first.pid);
});

test('a stopped server starts again with its rows, under the same url', async () => {
  const before = await startPostgres({ directory });
  await query(before.url, 'create table kept as select 1 as id');
  await before.stop();

  const after = await startPostgres({ directory });

  expect(after).toMatchObject({ how: 'started', url: before.url });
  expect(await query(after.url, 'select id from kept')).toEqual([{ id: 1 }]);
});

test('stop may be called twice', async () => {
  const postgres = await startPostgres({ directory });
  await postgres.stop();

  await expect(postgres.stop()).resolves.toBeUndefined();
});

test('the server speaks UTF8 in the C locale, durably, on the loopback address alone', async () => {
  await (await startPostgres({ directory })).stop();
  const postgres = await startPostgres({ directory });

  const [settings] = await query(
    postgres.url,
    `select current_setting('server_encoding') as encoding, 
      (select datctype from pg_database where datname = current_database()) as locale,
      current_setting('listen_addresses') as addresses, current_setting('unix_socket_directories') as sockets,
      current_setting('max_connections')::int as connections, current_setting('fsync') as fsync`,
  );

  expect(settings).toEqual({
    encoding: 'UTF8',
    locale: 'C',
    addresses: '127.0.0.1',
    sockets: '',
    connections: 200,
    fsync: 'on',
  });
});

test('durable: false turns fsync off, and maxConnections is obeyed', async () => {
  await (await startPostgres({ directory })).stop();

  const postgres = await startPostgres({ directory, durable: false, maxConnections: 321 });

  const sql = `select current_setting('fsync') as fsync, current_setting('max_connections') as connections`;
  expect(await query(postgres.url, sql)).toEqual([{ fsync: 'off', connections: '321' }]);
});

test('a database asked for by name is created on a running server', async () => {
  const name = 'An "odd" name';
  const calls = await Promise.all([1, 2].map(() => startPostgres({ directory, database: name })));

  const found = await Promise.all(calls.map(({ url }) => query(url, 'select current_database() as name')));
  expect(found).toEqual([[{ name }], [{ name }]]);
});

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, afterEach, expect, test } from '@jest/globals';
import { makeClusterDirectory, removeClusterDirectory } from '../src/cluster-directory.js';
import globalSetup from '../src/jest-global-setup.js';
import globalTeardown from '../src/jest-global-teardown.js';
import { testServerDirectoryVariable, testServerUrl, testServerVariable } from '../src/test-server.js';
import { connect } from './connect.js';

const environment = { ...process.env };
beforeEach(() => {
  for (const name of ['TEST_DATABASE_URL', testServerVariable, testServerDirectoryVariable]) delete process.env[name];
});
afterEach(() => {
  process.env = { ...environment };
});

test('a run without a database of its own gets one, which is gone afterwards', async () => {
  await globalSetup();
  const url = await testServerUrl();
  const directory = process.env[testServerDirectoryVariable] ?? '';
  const { rows } = await (await connect(url)).query("select current_setting('max_connections') as connections");

  await globalTeardown();

  expect(rows).toEqual([{ connections: '400' }]);
  expect(existsSync(directory)).toBe(false);
  await expect(connect(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('the server of TEST_DATABASE_URL is used, and left alone', async () => {
  process.env['TEST_DATABASE_URL'] = 'postgres://tester@db.example/postgres';

  await globalSetup();
  await globalTeardown();

  expect(await testServerUrl()).toBe('postgres://tester@db.example/postgres');
});

test('without the global setup, there is a server as well, and all processes share it', async () => {
  const first = await testServerUrl();
  delete process.env[testServerVariable];

  const second = await testServerUrl();

  expect(second).toBe(first);
  await expect(connect(first)).resolves.toBeDefined();
});

test('without the global setup, the server of TEST_DATABASE_URL is used', async () => {
  process.env['TEST_DATABASE_URL'] = 'postgres://tester@db.example/postgres';

  expect(await testServerUrl()).toBe('postgres://tester@db.example/postgres');
});

test('what a killed run left behind is removed by the next', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'perdure-abandoned-'));
  const deadPid = 2 ** 22 + 1; // beyond the largest process number of Linux
  const abandoned = join(parent, `perdure-test-${deadPid}-x`);
  await mkdir(abandoned);

  const directory = await makeClusterDirectory(parent);

  expect([existsSync(abandoned), existsSync(directory)]).toEqual([false, true]);
  await removeClusterDirectory(parent);
});

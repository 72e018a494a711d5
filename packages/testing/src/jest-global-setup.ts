// Jest's globalSetup: one Postgres server per run of Jest, on a RAM disk where there is one.

import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { startPostgres } from '@perdure/embedded';
import { makeClusterDirectory } from './cluster-directory.js';
import { testServerDirectoryVariable, testServerVariable } from './test-server.js';

// A cluster begins with 40 MB and every database adds 8 MB, but containers often have a /dev/shm of 64 MB.
const neededBytes = 1024 ** 3;
// Only for a run that was killed before its teardown, so longer than any pause between two statements of a live one.
const stopWhenIdleMs = 600_000;

/**
 * Makes a server available to all test files: the one of TEST_DATABASE_URL (whose user must be able to create databases,
 * and which must be reached directly, not through a pooler), else a new embedded one, which is not durable.
 */
export default async function globalSetup(): Promise<void> {
  const given = process.env['TEST_DATABASE_URL'];
  if (given) {
    process.env[testServerVariable] = given;
    return;
  }
  const directory = await makeClusterDirectory((await hasRamDisk()) ? '/dev/shm' : tmpdir());
  process.env[testServerDirectoryVariable] = directory;
  const server = await startPostgres({ directory, durable: false, maxConnections: 400, stopWhenIdleMs });
  process.env[testServerVariable] = server.url;
}

async function hasRamDisk(): Promise<boolean> {
  const disk = await statfs('/dev/shm').catch(() => undefined);
  return disk !== undefined && disk.bavail * disk.bsize >= neededBytes;
}

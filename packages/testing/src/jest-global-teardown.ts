// Jest's globalTeardown: ends what jest-global-setup.ts started, in the same process.

import { removeClusterDirectory } from './cluster-directory.js';
import { testServerDirectoryVariable } from './test-server.js';

/** Stops the embedded server of this run and removes its data; a server of TEST_DATABASE_URL is left alone. */
export default async function globalTeardown(): Promise<void> {
  const directory = process.env[testServerDirectoryVariable];
  if (directory) await removeClusterDirectory(directory);
}

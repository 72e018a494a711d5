// Folders that a test file makes, and the servers in them: all gone when the file is done.

import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { stopPostgres } from '../src/index.js';

const made: string[] = [];

/** A new folder that every user may enter. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'perdure-embedded-'));
  await chmod(directory, 0o755);
  made.push(directory);
  return directory;
}

afterAll(async () => {
  for (const directory of made) {
    await stopPostgres(directory, 'immediate');
    await rm(directory, { recursive: true, force: true });
  }
});

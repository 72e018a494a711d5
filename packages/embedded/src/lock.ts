// Lets one of several processes start a cluster while the others wait for it. It saves work, and is not what keeps data
// safe: a cluster appears by an atomic rename, and Postgres's own postmaster.pid keeps a second server off.

import { open, readFile, rm, stat } from 'node:fs/promises';
import { isProcessAlive } from './process-state.js';

// Longer than any start takes. After it, a lock whose process number went to someone else stops counting.
const longestHoldMs = 120_000;

/** Runs `act` while holding the lock file, or resolves with undefined at once if a live process holds it. */
export async function tryWithLock<T>(lockFile: string, act: () => Promise<T>): Promise<T | undefined> {
  if (!(await acquire(lockFile))) return undefined;
  try {
    return await act();
  } finally {
    await rm(lockFile, { force: true });
  }
}

async function acquire(lockFile: string): Promise<boolean> {
  if (await isAbandoned(lockFile)) await rm(lockFile, { force: true });
  try {
    const file = await open(lockFile, 'wx');
    await file.writeFile(String(process.pid));
    await file.close();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function isAbandoned(lockFile: string): Promise<boolean> {
  const found = await stat(lockFile).catch(() => undefined);
  if (found === undefined) return false;
  if (Date.now() - found.mtimeMs > longestHoldMs) return true;
  const holder = Number(await readFile(lockFile, 'utf8').catch(() => ''));
  // No number yet: the holder is between creating the file and writing to it.
  return holder > 0 && !(await isProcessAlive(holder));
}

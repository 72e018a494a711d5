// Folders for the clusters of a run of tests, and the removal of those that a killed run left behind.

import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isProcessAlive, stopPostgres } from '@perdure/embedded';

// The process id in the name tells a later run whether the folder's owner still lives.
const prefix = 'perdure-test-';

/** A new folder in `parent` for one cluster of this process. */
export async function makeClusterDirectory(parent: string): Promise<string> {
  await removeAbandoned(parent);
  const directory = await mkdtemp(join(parent, `${prefix}${process.pid}-`));
  await chmod(directory, 0o755); // started by root, the server runs as another user, who must get in
  return directory;
}

/** Stops the cluster without ceremony and removes all of it. */
export async function removeClusterDirectory(directory: string): Promise<void> {
  await stopPostgres(directory, 'immediate');
  await rm(directory, { recursive: true, force: true });
}

async function removeAbandoned(parent: string): Promise<void> {
  for (const entry of await readdir(parent)) {
    const owner = entry.startsWith(prefix) ? Number.parseInt(entry.slice(prefix.length), 10) : NaN;
    if (!(owner > 0) || (await isProcessAlive(owner))) continue;
    // Another user's folder, or one that another run removes at the same time: not worth failing for.
    await removeClusterDirectory(join(parent, entry)).catch(() => undefined);
  }
}

// Where this user keeps what can be made again: copied programs, and data of callers outside any project.

import { mkdir, stat } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgresError, useAnotherPostgres } from './errors.js';

/** An existing folder of this user's own that the server's user may enter. Throws `DIRECTORY_UNUSABLE`. */
export async function cacheDirectory(): Promise<string> {
  const choices = [join(preferredParent(), 'perdure'), join(tmpdir(), `perdure-${process.getuid?.() ?? 'user'}`)];
  for (const directory of choices) {
    if (await makeOwn(directory)) return directory;
  }
  throw new EmbeddedPostgresError(
    'DIRECTORY_UNUSABLE',
    `neither ${choices.join(' nor ')} can be written, so Postgres has nowhere to put its programs or data. ` +
      `Make one of them writable, pass a directory, or ${useAnotherPostgres}.`,
  );
}

function preferredParent(): string {
  const chosen = process.env['XDG_CACHE_HOME'];
  if (chosen) return chosen;
  // Root's home is closed to the unprivileged user that root's server runs as.
  if (process.getuid?.() === 0) return '/var/cache';
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches');
  if (process.platform === 'win32') return process.env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local');
  return join(homedir(), '.cache');
}

/** Programs are run from this folder, so one that another user has prepared under a name in /tmp is refused. */
async function makeOwn(directory: string): Promise<boolean> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o755 });
    const { uid, mode } = await stat(directory);
    const isOwn = process.getuid === undefined || uid === process.getuid();
    return isOwn && (mode & 0o022) === 0;
  } catch {
    return false;
  }
}

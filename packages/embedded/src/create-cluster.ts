// Makes the data directory of a new cluster with initdb, and checks that an existing one fits the programs.

import { chown, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterPaths } from './data-directory.js';
import { EmbeddedPostgresError, useAnotherPostgres } from './errors.js';
import { isProcessAlive } from './process-state.js';
import type { PostgresBinaries } from './prepare-binaries.js';
import { runProgram } from './run-program.js';
import type { ServerUser } from './server-user.js';

/** The superuser of every cluster. It has no password: the server listens on the loopback address alone. */
export const superuser = 'perdure';

const unfinishedPrefix = 'creating-';

/**
 * Creates the data directory if it is absent, and says whether it did.
 * Throws `DATA_VERSION_MISMATCH`, `USER_UNKNOWN`, `CREATE_FAILED`.
 */
export async function createCluster(
  paths: ClusterPaths,
  binaries: PostgresBinaries,
  user: ServerUser,
): Promise<boolean> {
  const version = await readFile(join(paths.data, 'PG_VERSION'), 'utf8').catch(() => undefined);
  if (version !== undefined) {
    checkVersion(paths, Number(version), binaries);
    return false;
  }
  await removeUnfinished(paths.directory);
  const unfinished = join(paths.directory, unfinishedPrefix + process.pid);
  await makeEmptyFolder(unfinished, user);
  await initialize(unfinished, binaries, user);
  // All or nothing: a process killed during initdb leaves no half-made data directory behind.
  await rename(unfinished, paths.data);
  return true;
}

async function initialize(directory: string, binaries: PostgresBinaries, user: ServerUser): Promise<void> {
  const options = ['-U', superuser, '--auth=trust', '--encoding=UTF8', '--no-locale', '--no-sync', '--no-instructions'];
  const { exitCode, stderr } = await runProgram(
    join(binaries.directory, 'initdb'),
    ['-D', directory, ...options],
    user,
  );
  if (exitCode === 0) return;
  await rm(directory, { recursive: true, force: true });
  throw stderr.includes('could not look up effective user ID') ? userUnknown() : createFailed(directory, stderr);
}

async function makeEmptyFolder(directory: string, { uid, gid }: ServerUser): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { mode: 0o700 });
  if (uid !== undefined && gid !== undefined) await chown(directory, uid, gid);
}

async function removeUnfinished(directory: string): Promise<void> {
  for (const entry of await readdir(directory)) {
    const creator = entry.startsWith(unfinishedPrefix) ? Number(entry.slice(unfinishedPrefix.length)) : NaN;
    if (!(creator > 0) || (await isProcessAlive(creator))) continue;
    await rm(join(directory, entry), { recursive: true, force: true });
  }
}

function checkVersion(paths: ClusterPaths, version: number, binaries: PostgresBinaries): void {
  if (version === binaries.majorVersion) return;
  throw new EmbeddedPostgresError(
    'DATA_VERSION_MISMATCH',
    `"${paths.data}" was made by Postgres ${version}, but the programs in "${binaries.directory}" are Postgres ` +
      `${binaries.majorVersion}, which cannot read it. Set PERDURE_PG_BIN to the programs of Postgres ${version}, or ` +
      `delete "${paths.directory}" to begin with an empty database.`,
  );
}

function userUnknown(): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'USER_UNKNOWN',
    `this process runs as the user id ${process.getuid?.()}, which has no entry in /etc/passwd, and initdb refuses to run ` +
      `without one. OpenShift and "docker run --user" do this. Add the entry, or ${useAnotherPostgres}.`,
  );
}

function createFailed(directory: string, reason: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'CREATE_FAILED',
    `initdb could not create "${directory}", so there is no database to start. It said: ${reason.trim()}. Remove the cause ` +
      `(often a full disk or a file system without permissions), pass another directory, or ${useAnotherPostgres}.`,
  );
}

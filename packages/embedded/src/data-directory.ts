// Where a cluster lives: one folder with its data, its log, its lock and the port it used last.

import { createHash } from 'node:crypto';
import { access, constants, mkdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { cacheDirectory } from './cache-directory.js';
import { describe, EmbeddedPostgresError } from './errors.js';
import { chooseServerUser, type ServerUser } from './server-user.js';

/** The paths of one cluster. */
export interface ClusterPaths {
  readonly directory: string;
  readonly data: string;
  readonly log: string;
  readonly lock: string;
  readonly port: string;
}

/** The paths of the cluster in `directory`, which need not exist. */
export function clusterPaths(directory: string): ClusterPaths {
  return {
    directory,
    data: join(directory, 'data'),
    log: join(directory, 'postgres.log'),
    lock: join(directory, 'start.lock'),
    port: join(directory, 'port'),
  };
}

/**
 * The folder of the current project's cluster: `node_modules/.cache/perdure/postgres` beside the nearest node_modules,
 * else one named after the current folder in the user's cache.
 */
export async function defaultDirectory(): Promise<string> {
  const project = await findProject(process.cwd());
  if (project !== undefined) {
    const directory = join(project, 'node_modules', '.cache', 'perdure', 'postgres');
    const user = await chooseServerUser(clusterPaths(directory).data);
    if ((await findClosedFolder(directory, user)) === undefined) return directory;
  }
  const owner = project ?? process.cwd();
  const hash = createHash('sha256').update(owner).digest('hex').slice(0, 8);
  return join(await cacheDirectory(), `${basename(owner)}-${hash}`, 'postgres');
}

/** Creates the folder and checks that the server's user can reach it. Throws `DIRECTORY_UNUSABLE`. */
export async function prepareDirectory(directory: string, user: ServerUser): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
    await access(directory, constants.W_OK);
  } catch (cause) {
    throw new EmbeddedPostgresError(
      'DIRECTORY_UNUSABLE',
      `cannot write to "${directory}" (${describe(cause)}), where Postgres would keep its data. Pass a directory that ` +
        `this user may write to.`,
      { cause },
    );
  }
  const closed = await findClosedFolder(directory, user);
  if (closed === undefined) return;
  throw new EmbeddedPostgresError(
    'DIRECTORY_UNUSABLE',
    `"${closed}" may not be entered by the user with the id ${user.uid}. Postgres refuses to run as root and so runs as ` +
      `that user, who cannot reach "${directory}". Run: chmod o+x "${closed}", or pass a directory elsewhere.`,
  );
}

async function findProject(start: string): Promise<string | undefined> {
  for (let folder = start; ; folder = dirname(folder)) {
    if (await isWritable(join(folder, 'node_modules'))) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

function isWritable(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
}

/** The first folder on the way to `directory` that exists and that `user` may not enter. */
async function findClosedFolder(directory: string, user: ServerUser): Promise<string | undefined> {
  if (user.uid === undefined) return undefined;
  for (const folder of ancestors(resolve(directory))) {
    const found = await stat(folder).catch(() => undefined);
    if (found === undefined) return undefined;
    if ((found.mode & entryBit(found, user)) === 0) return folder;
  }
  return undefined;
}

function entryBit(folder: ServerUser, user: ServerUser): number {
  if (folder.uid === user.uid) return 0o100;
  return folder.gid === user.gid ? 0o010 : 0o001;
}

function ancestors(folder: string): string[] {
  return folder === dirname(folder) ? [folder] : [...ancestors(dirname(folder)), folder];
}

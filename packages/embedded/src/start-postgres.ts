// The whole act: find the project's server, or start it, or create it first; any number of processes may do so at once.

import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createCluster, superuser } from './create-cluster.js';
import { clusterPaths, defaultDirectory, prepareDirectory, type ClusterPaths } from './data-directory.js';
import { EmbeddedPostgresError, useAnotherPostgres } from './errors.js';
import { findServer, type ReadyServer } from './find-server.js';
import { launchServer } from './launch-server.js';
import { tryWithLock } from './lock.js';
import { openDatabase } from './open-database.js';
import { prepareBinaries } from './prepare-binaries.js';
import { chooseServerUser } from './server-user.js';
import { stopServer, type StopMode } from './stop-server.js';
import { startWatchdog } from './watchdog.js';

/** How `startPostgres` finds or makes its server. */
export interface StartPostgresOptions {
  /**
   * The folder of the cluster; made if absent. Default: `node_modules/.cache/perdure/postgres` beside the nearest
   * node_modules (deleting node_modules deletes the data), else a folder for the current directory in the user's cache.
   */
  readonly directory?: string;
  /** The database of the returned URL; created if absent. Default: `perdure`. */
  readonly database?: string;
  /** `false` turns fsync off: several times faster, and lost if the machine crashes. Default: true. */
  readonly durable?: boolean;
  /** Default: 200. */
  readonly maxConnections?: number;
  /** Stops the server after this time without clients. Default: it runs until it is stopped. */
  readonly stopWhenIdleMs?: number;
}

/** A server that accepts connections. */
export interface RunningPostgres {
  /** Connects as superuser, without a password, to the requested database. */
  readonly url: string;
  readonly port: number;
  /** The process id of the server itself. */
  readonly pid: number;
  /** The server's version, such as "18.4". */
  readonly version: string;
  readonly directory: string;
  /** Whether the server was running already, was started, or was created first. */
  readonly how: 'attached' | 'started' | 'created';
  /** Stops the server for everyone who uses it; safe to repeat. `immediate` skips the shutdown checkpoint. */
  stop(mode?: StopMode): Promise<void>;
}

const pollMs = 20;
const deadlineMs = 120_000;

/**
 * A running Postgres for development and tests: attached to if it runs, else started, else created (about a second).
 *
 * The server is a process of its own that outlives the caller; see `stop` and `stopWhenIdleMs`. It listens on 127.0.0.1
 * alone, keeps its port over restarts if it can, uses UTF8 and the C locale, and trusts every local user. `durable`,
 * `maxConnections` and `stopWhenIdleMs` count only in the call that starts it. A root caller gets a server that runs as
 * the owner of the data, or as nobody. Throws {@link EmbeddedPostgresError} with one of its codes.
 *
 * @example
 * const postgres = await startPostgres({ stopWhenIdleMs: 300_000 });
 * const engine = createEngine({ database: postgres.url });
 */
export async function startPostgres(options: StartPostgresOptions = {}): Promise<RunningPostgres> {
  const paths = clusterPaths(resolve(options.directory ?? (await defaultDirectory())));
  const database = options.database ?? 'perdure';
  const { server, version, how } = await bringUp(paths, database, options);
  return {
    url: databaseUrl(server.port, database),
    port: server.port,
    pid: server.pid,
    version,
    directory: paths.directory,
    how,
    stop: (mode) => stopPostgres(paths.directory, mode),
  };
}

/** Stops the server of `directory`, whoever started it, and resolves when it has ended; at once if none runs. */
export async function stopPostgres(directory: string, mode: StopMode = 'fast'): Promise<void> {
  await stopServer(clusterPaths(resolve(directory)).data, mode);
}

type How = RunningPostgres['how'];

interface Arrival {
  readonly server: ReadyServer;
  readonly version: string;
  readonly how: How;
}

async function bringUp(paths: ClusterPaths, database: string, options: StartPostgresOptions): Promise<Arrival> {
  const giveUpAt = Date.now() + deadlineMs;
  let how: How = 'attached';
  while (Date.now() < giveUpAt) {
    const server = await findServer(paths.data);
    if (server.status === 'ready') {
      const version = await openDatabase(databaseUrl(server.port, 'postgres'), database);
      if (version !== undefined) return { server, version, how };
    } else {
      how = (await tryToStart(paths, options)) ?? how;
    }
    await delay(pollMs);
  }
  throw tookTooLong(paths);
}

async function tryToStart(paths: ClusterPaths, options: StartPostgresOptions): Promise<How | undefined> {
  await prepareDirectory(paths.directory, await chooseServerUser(paths.data));
  return tryWithLock(paths.lock, () => startUnderLock(paths, options));
}

/** Starts the server, or finds nothing if one is coming, going, or leaving something behind for a moment. */
async function startUnderLock(paths: ClusterPaths, options: StartPostgresOptions): Promise<How | undefined> {
  if ((await findServer(paths.data)).status !== 'none') return undefined;
  const user = await chooseServerUser(paths.data);
  const binaries = await prepareBinaries(user);
  const isNew = await createCluster(paths, binaries, user);
  const settings = { isDurable: options.durable ?? true, maxConnections: options.maxConnections ?? 200 };
  const server = await launchServer(paths, { directory: binaries.directory, user }, settings);
  if (server === undefined) return undefined;
  if (options.stopWhenIdleMs !== undefined) {
    const url = databaseUrl(server.port, 'postgres');
    startWatchdog({ url, pid: server.pid, idleMs: options.stopWhenIdleMs, programs: binaries.directory });
  }
  return isNew ? 'created' : 'started';
}

function databaseUrl(port: number, database: string): string {
  return `postgres://${superuser}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
}

function tookTooLong(paths: ClusterPaths): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'START_FAILED',
    `no server accepted connections on "${paths.data}" within ${deadlineMs / 1000} s, so there is no database. Another ` +
      `process may be stuck starting or stopping it, or an old one still uses its memory: see "${paths.log}", end what is ` +
      `left of it, or ${useAnotherPostgres}.`,
  );
}

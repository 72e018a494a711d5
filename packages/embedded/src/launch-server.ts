// Starts the server process on an existing data directory and waits until it accepts connections.
// The server outlives this process: nothing here keeps it or is kept by it.

import { spawn, type ChildProcess } from 'node:child_process';
import { open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { choosePort } from './choose-port.js';
import type { ClusterPaths } from './data-directory.js';
import { EmbeddedPostgresError, useAnotherPostgres } from './errors.js';
import { findServer, postmasterFile, type ReadyServer } from './find-server.js';
import { runProgram, serverEnvironment } from './run-program.js';
import type { ServerUser } from './server-user.js';

/** What decides how a server runs. */
export interface ServerSettings {
  readonly isDurable: boolean;
  readonly maxConnections: number;
}

const pollMs = 10;
const deadlineMs = 100_000; // replaying a development database's log takes seconds
// After a killed postmaster its orphans hold the shared memory until they notice; a port can be taken between the check
// and its use; and another process may win the race for the data directory.
const passingObstacles =
  /pre-existing shared memory block|lock file "[^"]*" already exists|could not bind IPv4 address/;

/**
 * Starts the server; finds nothing if it could not start for a reason that should pass, so that a second try may work.
 * Throws `START_FAILED` with the server's own last words.
 */
export async function launchServer(
  paths: ClusterPaths,
  programs: { readonly directory: string; readonly user: ServerUser },
  settings: ServerSettings,
): Promise<ReadyServer | undefined> {
  await removeStaleFile(paths);
  const port = await choosePort(paths.port);
  await writeFile(paths.port, String(port));
  const logStart = await stat(paths.log).then(
    ({ size }) => size,
    () => 0,
  );
  const hasEnded = await start(paths, programs, serverOptions(port, settings));
  const giveUpAt = Date.now() + deadlineMs;
  while (!hasEnded() && Date.now() < giveUpAt) {
    const server = await findServer(paths.data);
    if (server.status === 'ready') return server;
    await delay(pollMs);
  }
  const lastWords = (await readFile(paths.log)).subarray(logStart).toString();
  if (passingObstacles.test(lastWords)) return undefined;
  throw startFailed(paths, lastWords);
}

function serverOptions(port: number, { isDurable, maxConnections }: ServerSettings): string[] {
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '', // its path may be too long for a socket, and loopback is enough
    max_connections: maxConnections,
    log_checkpoints: 'off', // the log is never rotated
    ...(isDurable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** Starts the process; the returned function says whether it has ended. */
async function start(
  paths: ClusterPaths,
  { directory, user }: { readonly directory: string; readonly user: ServerUser },
  options: readonly string[],
): Promise<() => boolean> {
  if (process.platform === 'win32') return startOnWindows(paths, directory, options);
  const log = await open(paths.log, 'a');
  const server = spawn(join(directory, 'postgres'), ['-D', paths.data, ...options], {
    ...user,
    cwd: paths.directory,
    env: serverEnvironment(),
    detached: true, // Ctrl-C in the terminal goes to the application alone
    stdio: ['ignore', log.fd, log.fd],
  });
  const hasEnded = watchEnd(server);
  server.unref();
  await log.close();
  return hasEnded;
}

/** Through pg_ctl, which gives up administrator rights: postgres.exe refuses to run with them. */
async function startOnWindows(
  paths: ClusterPaths,
  directory: string,
  options: readonly string[],
): Promise<() => boolean> {
  const joined = options.map((option) => `"${option}"`).join(' ');
  const pgCtlArguments = ['start', '-w', '-D', paths.data, '-l', paths.log, '-o', joined];
  const { exitCode } = await runProgram(join(directory, 'pg_ctl'), pgCtlArguments, {});
  return () => exitCode !== 0;
}

function watchEnd(server: ChildProcess): () => boolean {
  let hasEnded = false;
  const end = (): void => {
    hasEnded = true;
  };
  server.once('exit', end);
  server.once('error', end);
  return () => hasEnded;
}

/**
 * Removes a postmaster.pid whose server is gone. Postgres does so too, but takes a zombie, or a stranger with the same
 * process number, for a live server. It still refuses to start while orphans of the old server use its shared memory,
 * which it finds by the data directory and not by this file.
 */
async function removeStaleFile(paths: ClusterPaths): Promise<void> {
  const { status } = await findServer(paths.data);
  if (status === 'none') await rm(postmasterFile(paths.data), { force: true });
}

function startFailed(paths: ClusterPaths, lastWords: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'START_FAILED',
    `the server on "${paths.data}" did not come to accept connections, so there is no database. It said: ` +
      `${lastWords.trim().slice(-1000) || 'nothing'}. See "${paths.log}"; remove the cause, delete "${paths.directory}" to ` +
      `begin with an empty database, or ${useAnotherPostgres}.`,
  );
}

// A PgBouncer in transaction mode before a test's server, as production often has one: consecutive transactions of a
// client meet different server sessions, and nothing of a session lasts.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { endAfterTests } from './end-after-tests.js';
import { waitFor } from './wait-for.js';

/** A running pooler. */
export interface PgBouncer {
  /** Reaches the same database as the target URL, through the pool. */
  readonly url: string;
  stop(): Promise<void>;
}

// PgBouncer refuses to run as root. This is "nobody" on Linux.
const nobody = 65534;

/** The path of the system's `pgbouncer`, if it is installed. */
export function findPgBouncer(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders.map((folder) => join(folder, 'pgbouncer')).find((file) => existsSync(file));
}

/**
 * Starts PgBouncer in transaction mode before the server of `targetUrl`: 20 server connections, 500 clients, every
 * client let in, and otherwise its defaults (so startup parameters that it does not know are refused).
 * Finds nothing if PgBouncer is not installed.
 */
export async function startPgBouncer(targetUrl: string): Promise<PgBouncer | undefined> {
  const program = findPgBouncer();
  if (program === undefined) return undefined;
  const directory = await mkdtemp(join(tmpdir(), 'perdure-pgbouncer-'));
  const port = await freePort();
  await writeFile(join(directory, 'pgbouncer.ini'), configuration(new URL(targetUrl), port));
  const isRoot = process.getuid?.() === 0;
  if (isRoot) await chown(directory, nobody, nobody);
  const pooler = spawn(program, [join(directory, 'pgbouncer.ini')], {
    ...(isRoot ? { uid: nobody, gid: nobody } : {}),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  endAfterTests(pooler);
  await waitUntilListening(pooler, port);
  return { url: urlOf(targetUrl, port), stop: () => stop(pooler, directory) };
}

function configuration(target: URL, port: number): string {
  const user = decodeURIComponent(target.username);
  const password = decodeURIComponent(target.password);
  return `[databases]
* = host=${target.hostname} port=${target.port || 5432} user=${user}${password && ` password=${password}`}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 20
max_client_conn = 500
`;
}

async function waitUntilListening(pooler: ChildProcess, port: number): Promise<void> {
  const log = pooler.stderr === null ? Promise.resolve('') : text(pooler.stderr);
  await waitFor(
    async () => {
      if (pooler.exitCode === null) return accepts(port);
      throw new Error(`PgBouncer ended with code ${pooler.exitCode}. It said: ${await log}`);
    },
    { what: `PgBouncer to listen on port ${port}` },
  );
}

async function stop(pooler: ChildProcess, directory: string): Promise<void> {
  if (pooler.exitCode === null && pooler.signalCode === null) {
    const ended = once(pooler, 'exit');
    pooler.kill('SIGKILL'); // it has no state to save, and a polite stop waits for its clients
    await ended;
  }
  await rm(directory, { recursive: true, force: true });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string')
    throw new Error('a TCP server has no port: no free port is known');
  return address.port;
}

function urlOf(targetUrl: string, port: number): string {
  const url = new URL(targetUrl);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  return url.href;
}

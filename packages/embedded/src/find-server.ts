// Reads what Postgres itself writes about a running server: postmaster.pid in its data directory.
// Lines: process id, data directory, start time, port, socket directory, listen address, shared memory, status.
// https://www.postgresql.org/docs/18/storage-file-layout.html

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isServerOf } from './process-state.js';

/** A server that accepts connections. */
export interface ReadyServer {
  readonly status: 'ready';
  readonly pid: number;
  readonly port: number;
}

/** A server that accepts connections, one that is starting or stopping, or none. */
export type ServerState =
  ReadyServer | { readonly status: 'changing'; readonly pid: number } | { readonly status: 'none' };

/** The state of the server on `dataDirectory`, from its files and the process table alone. */
export async function findServer(dataDirectory: string): Promise<ServerState> {
  const file = await readFile(postmasterFile(dataDirectory), 'utf8').catch(() => '');
  const lines = file.split('\n').map((line) => line.trim());
  const pid = Number(lines[0]);
  if (!(pid > 0) || !(await isServerOf(pid, dataDirectory))) return { status: 'none' };
  const port = Number(lines[3]);
  return lines[7] === 'ready' && port > 0 ? { status: 'ready', pid, port } : { status: 'changing', pid };
}

/** The file by which Postgres keeps a second server off a data directory. */
export function postmasterFile(dataDirectory: string): string {
  return join(dataDirectory, 'postmaster.pid');
}

// Ends the server of a data directory, whoever started it.

import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedPostgresError } from './errors.js';
import { findServer } from './find-server.js';
import { prepareBinaries } from './prepare-binaries.js';
import { runProgram } from './run-program.js';

/** `fast` disconnects clients and writes everything out; `immediate` leaves that to the recovery of the next start. */
export type StopMode = 'fast' | 'immediate';

const signals = { fast: 'SIGINT', immediate: 'SIGQUIT' } as const;
const pollMs = 10;
const deadlineMs = 60_000;

/** Resolves when no server runs on `dataDirectory`; at once if none did. Throws `STOP_FAILED`. */
export async function stopServer(dataDirectory: string, mode: StopMode): Promise<void> {
  const server = await findServer(dataDirectory);
  if (server.status === 'none') return;
  await signalServer(server.pid, mode);
  const giveUpAt = Date.now() + deadlineMs;
  while ((await findServer(dataDirectory)).status !== 'none') {
    if (Date.now() > giveUpAt) throw stopFailed(dataDirectory, server.pid);
    await delay(pollMs);
  }
}

async function signalServer(pid: number, mode: StopMode): Promise<void> {
  if (process.platform !== 'win32') {
    process.kill(pid, signals[mode]);
    return;
  }
  // Windows has no signals; pg_ctl knows how to reach a server there.
  const { directory } = await prepareBinaries({});
  await runProgram(join(directory, 'pg_ctl'), ['kill', signals[mode].slice('SIG'.length), String(pid)], {});
}

function stopFailed(dataDirectory: string, pid: number): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'STOP_FAILED',
    `the server on "${dataDirectory}" (process ${pid}) still runs ${deadlineMs / 1000} s after it was told to stop, so its ` +
      `data directory cannot be used or removed. Look at its log beside the data, or kill that process.`,
  );
}

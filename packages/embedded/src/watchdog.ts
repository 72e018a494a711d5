// Starts the process that stops an unused server. It is a process of its own because the application that started the
// server may be killed at any time.

import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { location } from '@perdure/embedded/location';

/** What the watchdog looks after, and how long it lets it idle. */
export interface WatchedServer {
  readonly url: string;
  readonly pid: number;
  readonly idleMs: number;
  /** Where pg_ctl is, by which it stops a server on Windows. */
  readonly programs: string;
}

/** Starts `watchdog.mjs`, which ends by itself when the server does. */
export function startWatchdog(server: WatchedServer): void {
  const program = join(dirname(location), 'watchdog.mjs');
  // A debugger or loader of the application is not the watchdog's.
  const { NODE_OPTIONS: _, ...env } = process.env;
  spawn(process.execPath, [program, JSON.stringify(server)], { env, detached: true, stdio: 'ignore' }).unref();
}

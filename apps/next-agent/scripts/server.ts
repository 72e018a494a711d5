// The built application as a server of its own, which is started again whenever it was killed.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const app = fileURLToPath(new URL('..', import.meta.url));

/** A server that is kept running. */
export interface Server {
  readonly url: string;
  /** Of the process at present. */
  pid(): number | undefined;
  /** Resolves when it answers requests. */
  isUp(): Promise<void>;
  /** What it has written to its log. */
  log(): string;
  /** Ends it as a deploy does. Resolves to the milliseconds that it took. */
  stop(): Promise<number>;
}

/** Starts the standalone output of `next build`. */
export async function startServer(databaseUrl: string, more: Readonly<Record<string, string>> = {}): Promise<Server> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = {
    ...process.env,
    DATABASE_URL: databaseUrl,
    PORT: String(port),
    HOSTNAME: '127.0.0.1',
    MAY_KILL: '1',
    ...more,
  };
  const program = standalone();
  let log = '';
  let isStopping = false;
  let child: ChildProcess | undefined;
  const start = (): void => {
    child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const output of [child.stdout, child.stderr]) output?.on('data', (text: Buffer) => (log += text.toString()));
    child.once('exit', () => {
      if (!isStopping) start();
    });
  };
  start();
  const isUp = async (): Promise<void> => {
    const until = Date.now() + 30_000;
    while (Date.now() < until) {
      const answer = await fetch(url).catch(() => undefined);
      if (answer?.ok === true) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`the server did not come up:\n${log}`);
  };
  const stop = async (): Promise<number> => {
    isStopping = true;
    const from = Date.now();
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    }
    return Date.now() - from;
  };
  await isUp();
  return { url, pid: () => child?.pid, isUp, log: () => log, stop };
}

// `next build` leaves what browsers load for a file server; here the same process serves it.
function standalone(): string {
  const folder = join(app, '.next/standalone/apps/next-agent');
  const program = join(folder, 'server.js');
  if (!existsSync(program)) throw new Error('the application is not built: npm run build -w next-agent');
  cpSync(join(app, '.next/static'), join(folder, '.next/static'), { recursive: true });
  return program;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

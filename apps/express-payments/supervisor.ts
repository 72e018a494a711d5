// What systemd, Kubernetes or a container's restart policy do: starts the shop, and starts it again when it has died.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('server.ts', import.meta.url));

/** What happens to the shop's processes. */
export type Report = (pid: number, what: 'serves' | 'died' | 'closed') => void;

/** Keeps one process of the shop alive on one port. */
export class Supervisor {
  readonly url: string;
  readonly #port: number;
  readonly #databaseUrl: string;
  readonly #report: Report;
  #child: ChildProcess | undefined;
  #restarts = 0;
  #isStopping = false;

  constructor({
    port,
    databaseUrl,
    report,
  }: {
    readonly port: number;
    readonly databaseUrl: string;
    readonly report: Report;
  }) {
    this.url = `http://localhost:${port}`;
    this.#port = port;
    this.#databaseUrl = databaseUrl;
    this.#report = report;
  }

  /** Resolves when the shop serves for the first time. Rejects with its complaints if it ends by itself. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [...process.execArgv, program], {
      env: {
        ...process.env,
        DATABASE_URL: this.#databaseUrl,
        PORT: `${this.#port}`,
        PUBLIC_URL: this.url,
        RESTARTS: `${this.#restarts}`,
      },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      detached: true, // Ctrl-C reaches the supervisor alone, which then ends the shop
    });
    this.#child = child;
    const pid = child.pid ?? -1;
    const { stderr } = child;
    const complaints = stderr === null ? Promise.resolve('') : text(stderr);
    const ended = once(child, 'exit').then(async () => {
      this.#report(pid, this.#isStopping ? 'closed' : 'died');
      if (child.signalCode === null && !this.#isStopping)
        throw new Error(`The shop has ended by itself:\n${await complaints}`);
    });
    await Promise.race([once(child, 'message'), ended]);
    this.#report(pid, 'serves');
    void ended.then(() => this.#startAgain());
  }

  /** Ends the shop, which hands over what is unfinished. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }

  async #startAgain(): Promise<void> {
    if (this.#isStopping) return;
    this.#restarts += 1;
    await this.start();
  }
}

/** The port, or a free one if it is taken. */
export async function freePort(wanted: number): Promise<number> {
  const server = createServer();
  try {
    return await new Promise<number>((resolve, reject) => {
      server.once('error', reject).listen(wanted, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : wanted);
      });
    });
  } catch {
    return freePort(0);
  } finally {
    server.close();
  }
}

// One API process and any number of workers, as a container platform would run them. It kills workers when it is told to.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

type Role = 'api' | 'worker';

interface FleetOptions {
  readonly port: number;
  readonly databaseUrl: string;
  /** For somebody who watches: what workflows log is shown, the bank takes its time, and dead workers are replaced after a while. */
  readonly isWatched: boolean;
}

// 6s by default; short here, so that nobody waits long for the takeover.
const lease = '1500ms';
const replacedAfterMs = 5_000;
const words = { api: 'takes orders', worker: 'works' } as const;

export class Fleet {
  readonly url: string;
  readonly #options: FleetOptions;
  readonly #workers = new Map<number, ChildProcess>();
  readonly #children = new Set<ChildProcess>();
  readonly #stopping = new AbortController();

  constructor(options: FleetOptions) {
    this.url = `http://localhost:${options.port}`;
    this.#options = options;
  }

  /** The process ids of the workers that are alive. */
  get workers(): readonly number[] {
    return [...this.#workers.keys()];
  }

  /** Resolves when the API and two workers are ready. */
  async start(): Promise<void> {
    await Promise.all([this.#spawn('api'), this.startWorker(), this.startWorker()]);
  }

  async startWorker(): Promise<number> {
    const child = await this.#spawn('worker');
    const pid = child.pid ?? -1;
    this.#workers.set(pid, child);
    child.once('exit', (_code, signal) => {
      this.#workers.delete(pid);
      if (this.#stopping.signal.aborted) return;
      console.log(`  worker ${pid} is dead (${signal ?? 'it has ended by itself'})`);
      if (this.#options.isWatched) void this.#replace();
    });
    return pid;
  }

  /** SIGKILL: no handler runs, nothing is written, as when the power fails. Resolves when the process is gone. */
  async kill(pid: number): Promise<void> {
    const child = this.#workers.get(pid);
    if (child === undefined) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** Ends all processes, which hand over what is unfinished. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#children].map(end));
  }

  async #replace(): Promise<void> {
    await delay(replacedAfterMs, undefined, { ref: false });
    if (this.#stopping.signal.aborted) return;
    await this.startWorker().catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) console.error(error);
    });
  }

  async #spawn(role: Role): Promise<ChildProcess> {
    const { port, databaseUrl, isWatched } = this.#options;
    const settings = { DATABASE_URL: databaseUrl, PORT: `${port}`, LEASE: lease, NO_COLOR: '1' };
    const bank = isWatched ? { BANK_ANSWERS_AFTER_MS: '3000' } : {};
    const program = fileURLToPath(new URL(`../src/${role}.ts`, import.meta.url));
    const child = spawn(process.execPath, [...process.execArgv, program], {
      env: { ...process.env, ...settings, ...bank },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#children.add(child);
    if (child.stdout !== null) this.#show(child.stdout, `${role} ${child.pid}`);
    const complaints = child.stderr === null ? Promise.resolve('') : text(child.stderr);
    const ended = once(child, 'exit').then(async () => {
      throw new Error(`The ${role} did not start:\n${await complaints}`);
    });
    ended.catch(() => undefined); // later on, it may end
    await Promise.race([once(child, 'message'), ended]);
    console.log(`  ${role} ${child.pid} ${words[role]}`);
    return child;
  }

  // Of what Nest logs, the lines of workflows; but for those, it is about booting.
  #show(output: Readable, who: string): void {
    createInterface(output).on('line', (line) => {
      const [, text] = /\[FulfilOrder\] (.*)$/.exec(line) ?? [];
      if (this.#options.isWatched && text !== undefined) console.log(`  ${who}: ${text}`);
    });
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

// A process of the shop as its operator sees it: it is started, its log is read, it is killed.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A line of its log that concerns a run. */
export interface LogLine {
  readonly runId: string;
  readonly step?: string;
  readonly message: string;
}

export interface WorkerProcess {
  readonly pid: number;
  /** What it says of its runs, as it happens, until it ends. */
  readonly log: AsyncIterable<LogLine>;
  /** Sends the signal; resolves when the process is gone. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** What it had to complain about, once it has ended. */
  readonly complaints: Promise<string>;
}

/** Starts worker.ts, which is killed when the signal fires, or when this process is gone. */
export function startWorker(args: readonly string[], databaseUrl: string, deadline: AbortSignal): WorkerProcess {
  const program = fileURLToPath(new URL('worker.ts', import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, program, ...args], {
    env: { ...process.env, DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    signal: deadline,
    killSignal: 'SIGKILL',
  });
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('spawn was asked for pipes and gave none');
  const exited = once(child, 'exit').catch(() => undefined);
  return {
    pid: child.pid ?? -1,
    log: linesOfRuns(createInterface(stdout)),
    complaints: text(stderr),
    end: async (signal) => {
      child.kill(signal);
      await exited;
    },
  };
}

// The engine logs JSON wherever standard output is no terminal.
async function* linesOfRuns(lines: AsyncIterable<string>): AsyncIterable<LogLine> {
  for await (const line of lines) {
    const { runId, message = '', ...rest } = JSON.parse(line) as Partial<LogLine>;
    if (runId !== undefined) yield { runId, message, ...rest };
  }
}

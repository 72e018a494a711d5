// Child processes of tests, to be killed, stopped and continued. A child tells what it does by lines on its standard
// output, JSON where there is more than a word to say; the test waits for those lines.

import { spawn, type ChildProcess } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { location } from '@perdure/testing/location';
import { endAfterTests } from './end-after-tests.js';
import { LineLog } from './line-log.js';

/** How a process ended: with a code, or by a signal. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How a child process starts. */
export interface SpawnOptions {
  /** What the program finds in `process.argv` from index 2 on. */
  readonly args?: readonly string[];
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Options of Node itself, such as `--expose-gc`. */
  readonly nodeOptions?: readonly string[];
  /** The crash point at which the child kills itself: `name`, or `name:3` for the third time it is reached. */
  readonly crashAt?: string;
}

/** A child process. It is killed after the tests of the file that started it, and when this process dies. */
export interface SpawnedProcess {
  readonly pid: number;
  /** Everything it has printed so far, line by line. */
  readonly lines: readonly string[];
  /**
   * The first line that matches and was not returned before: one already printed, or one yet to come. Rejects when the
   * child ends without it or after `timeoutMs` (default 10,000), and says what it printed instead.
   */
  line(match: RegExp | ((line: string) => boolean), options?: { readonly timeoutMs?: number }): Promise<string>;
  /** The next line that is a JSON object whose `type` is this one, parsed; waits like `line`. */
  message(type: string, options?: { readonly timeoutMs?: number }): Promise<Readonly<Record<string, unknown>>>;
  /** Writes a line to its standard input. */
  send(line: string): void;
  /** Sends a signal; `await child.exited` to know that it had effect. SIGSTOP freezes the child until SIGCONT. */
  kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT' | 'SIGSTOP' | 'SIGCONT'): void;
  /** Never rejects. */
  readonly exited: Promise<ProcessExit>;
}

/**
 * Starts Node with a program of one's own, a JavaScript file or, if PERDURE_TEST_LOADER names a module that lets Node
 * load TypeScript, a TypeScript file.
 *
 * @example
 * const child = spawnProcess(workerFile, { env: { DATABASE_URL: database.url }, crashAt: 'step:charge' });
 * await child.message('started');
 * expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
 */
export function spawnProcess(file: string, options: SpawnOptions = {}): SpawnedProcess {
  const child = spawn(process.execPath, [...nodeArguments(options), file, ...(options.args ?? [])], {
    env: childEnvironment(options),
    // Over the fourth, the child notices that this process has died.
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
  });
  endAfterTests(child);
  const log = new LineLog();
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new Error('spawn was asked for pipes and gave none');
  stdin.on('error', () => undefined); // the child has closed it: `send` after its end has no effect
  const exited = recordOutput(child, { stdout, stderr }, log);
  const take = (what: string, matches: (line: string) => boolean, timeoutMs = defaultTimeoutMs): Promise<string> =>
    log.take({ what: `${what} from "${file}"`, matches, timeoutMs });
  return {
    pid: child.pid ?? -1,
    lines: log.lines,
    line: (match, { timeoutMs } = {}) => take(`line that matches ${String(match)}`, matcher(match), timeoutMs),
    message: async (type, { timeoutMs } = {}) => {
      const isWanted = (line: string): boolean => parseMessage(line)?.['type'] === type;
      return parseMessage(await take(`message of type "${type}"`, isWanted, timeoutMs)) ?? {};
    },
    send: (line) => void stdin.write(`${line}\n`),
    kill: (signal) => void child.kill(signal),
    exited,
  };
}

const defaultTimeoutMs = 10_000;

function nodeArguments({ nodeOptions = [] }: SpawnOptions): string[] {
  const crashChild = pathToFileURL(join(dirname(location), 'crash-child.cjs')).href;
  const loader = process.env['PERDURE_TEST_LOADER'];
  const modules = loader ? [crashChild, loader] : [crashChild];
  return [...modules.map((module) => `--import=${module}`), ...nodeOptions];
}

function childEnvironment({ env, crashAt }: SpawnOptions): NodeJS.ProcessEnv {
  // Jest's options of Node are not the child's, and a child's crash point is not its children's.
  const own = { NODE_OPTIONS: '', PERDURE_CRASH_AT: '', PERDURE_SPAWNED_BY: String(process.pid) };
  const inherited = { ...process.env, ...own };
  if (crashAt === undefined) return { ...inherited, ...env };
  return { ...inherited, ...env, PERDURE_CRASH_AT: /:\d+$/.test(crashAt) ? crashAt : `${crashAt}:1` };
}

interface Output {
  readonly stdout: Readable;
  readonly stderr: Readable;
}

/** Fills the log, and resolves when the process has ended and all of its output has been read. */
async function recordOutput(child: ChildProcess, output: Output, log: LineLog): Promise<ProcessExit> {
  const complaints: string[] = [];
  createInterface(output.stdout).on('line', (line) => log.add(line));
  createInterface(output.stderr).on('line', (line) => complaints.push(line));
  const exit = await new Promise<ProcessExit>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const how = exit.signal === null ? `with code ${exit.code}` : `by ${exit.signal}`;
  log.end(`it ended ${how}. Errors:\n${complaints.slice(-20).join('\n') || '(none)'}`);
  return exit;
}

function matcher(match: RegExp | ((line: string) => boolean)): (line: string) => boolean {
  return typeof match === 'function' ? match : (line) => match.test(line);
}

function parseMessage(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined; // text that only looks like a message
  }
}

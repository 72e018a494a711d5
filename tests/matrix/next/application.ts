// The fixture as an application of its own: installed from packed tarballs, built in one way of many, and started as a process.

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));

/** How it is built. */
export interface Build {
  readonly bundler: 'turbopack' | 'webpack';
  readonly env?: Readonly<Record<string, string>>;
}

/** An application in a folder. */
export interface Application {
  readonly folder: string;
  /** Builds it; rejects with what the build said. */
  build(build: Build): Promise<void>;
  /** Starts a process of it, which serves when this resolves. */
  start(command: readonly string[], env: Readonly<Record<string, string>>): Promise<Running>;
  /** Overwrites a file, in the way of an editor. */
  edit(path: string, change: (text: string) => string): void;
}

/** A process that serves. */
export interface Running {
  readonly url: string;
  readonly process: ChildProcess;
  log(): string;
  /** Resolves to the milliseconds from the signal to the exit. */
  end(signal: NodeJS.Signals): Promise<number>;
}

/** Packs the packages and installs them, with Next, in a new folder. */
export async function install(folder: string, versions: readonly string[]): Promise<Application> {
  rmSync(folder, { recursive: true, force: true });
  cpSync(fileURLToPath(new URL('fixture', import.meta.url)), folder, { recursive: true });
  cpSync(join(root, 'tests/conformance/http/application.ts'), join(folder, 'lib/application.ts'));
  const tarballs = join(folder, 'tarballs');
  mkdirSync(tarballs);
  for (const name of ['engine', 'http', 'next']) {
    await run('npm', ['pack', '--ignore-scripts', '--pack-destination', tarballs], {
      cwd: join(root, 'packages', name),
    });
  }
  const packed = ['perdure', 'perdure-http', 'perdure-next'].map((name) => `./tarballs/${name}-0.1.0.tgz`);
  const others = ['@types/node@20.19.43', '@types/react@19.3.0', 'zod@4.6.7'];
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...packed, ...versions, ...others], {
    cwd: folder,
    maxBuffer: 2 ** 26,
  });
  return applicationIn(folder);
}

/** The application that has been installed in a folder. */
export function applicationIn(folder: string): Application {
  const next = join(folder, 'node_modules/next/dist/bin/next');
  return {
    folder,
    async build({ bundler, env = {} }) {
      rmSync(join(folder, '.next'), { recursive: true, force: true });
      const flag = majorOf(folder) < 16 ? [] : [`--${bundler}`];
      await run(process.execPath, [next, 'build', ...flag], {
        cwd: folder,
        env: { ...process.env, ...own, ...env },
        maxBuffer: 2 ** 26,
      }).catch((error: { stdout?: string; stderr?: string }) => {
        throw new Error(`${error.stdout ?? ''}${error.stderr ?? ''}`);
      });
    },
    start: (command, env) => start(folder, [...command], env),
    edit: (path, change) => writeFileSync(join(folder, path), change(readFileSync(join(folder, path), 'utf8'))),
  };
}

function majorOf(folder: string): number {
  const { version } = JSON.parse(readFileSync(join(folder, 'node_modules/next/package.json'), 'utf8')) as {
    version: string;
  };
  return Number.parseInt(version, 10);
}

// Jest, when it is Jest that starts an application, sets what Next would take for meant for it.
const own = { NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: undefined, JEST_WORKER_ID: undefined };

async function start(folder: string, command: string[], env: Readonly<Record<string, string>>): Promise<Running> {
  const { PORT: port = await freePort() } = env;
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, command, {
    cwd: folder,
    env: { ...process.env, ...own, HOSTNAME: '127.0.0.1', ...env, PORT: port },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const output of [child.stdout, child.stderr]) output.on('data', (text: Buffer) => (log += text.toString()));
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const until = Date.now() + 60_000;
  while ((await fetch(url).catch(() => undefined))?.ok !== true) {
    if (isOver() || Date.now() > until) {
      child.kill('SIGKILL');
      throw new Error(`it does not serve:\n${log}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const end = async (signal: NodeJS.Signals): Promise<number> => {
    if (isOver()) return 0;
    const from = performance.now();
    const exit = once(child, 'exit');
    child.kill(signal);
    await Promise.race([exit, new Promise((resolve) => setTimeout(resolve, 15_000).unref())]);
    if (!isOver()) child.kill('SIGKILL');
    return Math.round(performance.now() - from);
  };
  return { url, process: child, log: () => log, end };
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? String(address.port) : '0';
}

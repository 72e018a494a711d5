// The fixture as an application of its own: installed from packed tarballs with a Nest of its own, compiled by its own compiler, and
// started as a process.

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));

/** What an application is made of. */
export interface Flavour {
  /** Of Nest. */
  readonly nest: '11' | '12';
  readonly modules: 'commonjs' | 'module';
  /** Versions of packages, as `typescript@5.9.3`. */
  readonly packages: readonly string[];
}

/** A process that serves. */
export interface Running {
  readonly url: string;
  readonly process: ChildProcess;
  log(): string;
  /** Resolves to the exit code, or the signal, once it has ended. */
  end(signal: NodeJS.Signals): Promise<number | string | null>;
}

/** Packs the packages and installs them in a new folder. */
export async function install(folder: string, { modules, packages }: Flavour): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  cpSync(fileURLToPath(new URL('fixture', import.meta.url)), folder, { recursive: true });
  const manifest = join(folder, 'package.json');
  writeFileSync(manifest, JSON.stringify({ ...JSON.parse(readFileSync(manifest, 'utf8')), type: modules }));
  mkdirSync(join(folder, 'tarballs'));
  for (const name of ['engine', 'http', 'nestjs']) {
    const options = ['pack', '--ignore-scripts', '--pack-destination', join(folder, 'tarballs')];
    await run('npm', options, { cwd: join(root, 'packages', name) });
  }
  const packed = ['perdure', 'perdure-http', 'perdure-nestjs'].map((name) => `./tarballs/${name}-0.1.0.tgz`);
  const options = ['install', '--no-audit', '--no-fund', '--prefer-offline', ...packed, ...packages];
  await run('npm', options, { cwd: folder, maxBuffer: 2 ** 26 });
}

/** Starts the compiled application; resolves when it serves. */
export async function start(folder: string, env: Readonly<Record<string, string>>): Promise<Running> {
  const port = await freePort();
  const child = spawn(process.execPath, ['dist/main.js'], {
    cwd: folder,
    env: { ...process.env, ...env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const ended = once(child, 'exit');
  const serving = new Promise<void>((resolve) => {
    const hear = (part: Buffer): void => {
      text += part.toString();
      if (text.includes('ready')) resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
  });
  await Promise.race([serving, ended.then(() => Promise.reject(new Error(`it did not start:\n${text}`)))]);
  return {
    url: `http://127.0.0.1:${port}`,
    process: child,
    log: () => text,
    end: async (signal) => {
      child.kill(signal);
      const [code, by] = (await ended) as [number | null, string | null];
      return code ?? by;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

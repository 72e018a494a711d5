// The suites of this repository on another Nest: a copy of the packages that they need, installed with that Nest in place of the
// repository's own, and run by Jest from the copy's sources.

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { runJest, tool } from '../tool.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));

const packages = ['engine', 'embedded', 'testing', 'http', 'nestjs'].map((name) => `packages/${name}`);
const others = [
  'tests/conformance',
  'scripts',
  'migrations',
  'docs/reference',
  'jest.config.mjs',
  'tsconfig.base.json',
];
const tools = ['@jest/globals', '@swc/core', '@swc/jest', '@types/node', 'eventsource', 'jest', 'typescript'];
const suites = ['packages/nestjs/test', 'tests/conformance/http/nestjs'];

interface Manifest {
  readonly devDependencies: Readonly<Record<string, string>>;
}

// What has the same major version as Nest itself.
const versionedLikeNest = [
  'common',
  'core',
  'microservices',
  'platform-express',
  'platform-fastify',
  'swagger',
  'terminus',
  'testing',
];

/** Runs the tests of @perdure/nestjs and its conformance suite of HTTP on a major version of Nest; resolves to what became of them. */
export async function runSuites(folder: string, nest: string): Promise<string> {
  await copyRepository(folder, nest);
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline'], { cwd: folder, maxBuffer: 2 ** 26 });
  const installed = installedVersion(folder);
  if (!installed.startsWith(`${nest}.`)) throw new Error(`Nest ${nest} is asked for, and ${installed} is installed`);
  await tool(folder, 'tsc', ['--noEmit', '-p', 'packages/nestjs']);

  return `${await runJest(folder, ['--maxWorkers=2', ...suites])} tests passed on Nest ${installed}`;
}

async function copyRepository(folder: string, nest: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  const { stdout } = await run('git', ['ls-files', '-z', ...packages, ...others], { cwd: root, maxBuffer: 2 ** 26 });
  for (const file of stdout.split('\0').filter((name) => name !== '')) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(root, file), join(folder, file));
  }
  const manifest = readManifest(join(root, 'package.json'));
  const devDependencies = Object.fromEntries(tools.map((name) => [name, manifest.devDependencies[name]]));
  writeManifest(join(folder, 'package.json'), { ...manifest, workspaces: packages, devDependencies });
  const nestjs = join(folder, 'packages/nestjs/package.json');
  const own = readManifest(nestjs);
  const versions = Object.fromEntries(versionedLikeNest.map((name) => [`@nestjs/${name}`, nest]));
  writeManifest(nestjs, { ...own, devDependencies: { ...own.devDependencies, ...versions } });
}

function installedVersion(folder: string): string {
  const path = join(folder, 'node_modules/@nestjs/core/package.json');
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}

function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(path, 'utf8')) as Manifest;
}

function writeManifest(path: string, manifest: object): void {
  writeFileSync(path, `${JSON.stringify(manifest, undefined, 2)}\n`);
}

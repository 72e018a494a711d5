// Turns a place where Postgres may be into programs that run. The npm packages carry their library links as a list, which
// an install script would create; package managers no longer run such scripts, so the links are made here, on first use.

import { existsSync } from 'node:fs';
import { chmod, cp, mkdtemp, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { cacheDirectory } from './cache-directory.js';
import { EmbeddedPostgresError } from './errors.js';
import { listBinaryCandidates, type BinaryCandidate } from './find-binaries.js';
import { missingBinariesAdvice } from './missing-binaries.js';
import { runProgram } from './run-program.js';
import type { ServerUser } from './server-user.js';

/** Programs that were seen to run. */
export interface PostgresBinaries {
  readonly directory: string;
  readonly majorVersion: number;
}

/**
 * The first programs in the list that `user` can run.
 * Throws `BINARIES_UNUSABLE` if PERDURE_PG_BIN is set but does not run, `BINARIES_NOT_FOUND` if nothing runs.
 */
export async function prepareBinaries(
  user: ServerUser,
  candidates: readonly BinaryCandidate[] = listBinaryCandidates(),
): Promise<PostgresBinaries> {
  const failures: string[] = [];
  for (const candidate of candidates) {
    const outcome = await prepareCandidate(candidate, user);
    if (outcome.majorVersion !== undefined) return { directory: outcome.directory, majorVersion: outcome.majorVersion };
    if (candidate.source === 'environment') throw unusable(candidate, outcome.failure);
    failures.push(`${candidate.directory} (${outcome.failure})`);
  }
  throw new EmbeddedPostgresError('BINARIES_NOT_FOUND', missingBinariesAdvice(failures));
}

type Outcome =
  | { readonly directory: string; readonly majorVersion: number }
  | { readonly majorVersion?: undefined; readonly failure: string };

async function prepareCandidate(candidate: BinaryCandidate, user: ServerUser): Promise<Outcome> {
  if (candidate.source !== 'package') return tryToRun(candidate.directory, user);
  const native = dirname(candidate.directory);
  await createLinks(native);
  const inPlace = await tryToRun(candidate.directory, user);
  if (inPlace.majorVersion !== undefined) return inPlace;
  // node_modules is read-only, or lies in a folder that the server's user may not enter (/root).
  return tryToRun(await copyToCache(native).catch(() => candidate.directory), user);
}

async function tryToRun(directory: string, user: ServerUser): Promise<Outcome> {
  const { exitCode, stdout, stderr } = await runProgram(join(directory, 'postgres'), ['--version'], user);
  const version = /\(PostgreSQL\) (\d+)/.exec(stdout)?.[1];
  if (exitCode === 0 && version !== undefined) return { directory, majorVersion: Number(version) };
  return { failure: stderr.trim() };
}

/** Creates the links that the package lists. A link that exists or cannot be made is left to the trial run. */
async function createLinks(native: string): Promise<void> {
  const list: unknown = await readFile(join(native, 'pg-symlinks.json'), 'utf8').then(JSON.parse, () => []);
  if (!Array.isArray(list)) return;
  for (const { source, target } of list.filter(isLink)) {
    // Both paths are relative to the package and lie in one folder, which keeps the links valid when it is copied.
    await symlink(basename(source), resolve(native, '..', target)).catch(() => undefined);
  }
}

function isLink(entry: unknown): entry is { source: string; target: string } {
  return (
    typeof entry === 'object' &&
    entry !== null &&
    'source' in entry &&
    'target' in entry &&
    typeof entry.source === 'string' &&
    typeof entry.target === 'string'
  );
}

/** Copies the package (60 MB, 0.4 s, once per version and user) to a folder that every user may enter. */
async function copyToCache(native: string): Promise<string> {
  const copy = join(await cacheDirectory(), `postgres-${await packageVersion(native)}-${process.arch}`);
  if (!existsSync(copy)) {
    const unfinished = await mkdtemp(`${copy}-`);
    await cp(native, join(unfinished, 'native'), { recursive: true, verbatimSymlinks: true });
    await openToAll(unfinished);
    await createLinks(join(unfinished, 'native'));
    // One of several processes wins the rename; the others use what it made.
    await rename(unfinished, copy).catch(() => rm(unfinished, { recursive: true, force: true }));
  }
  return join(copy, 'native', 'bin');
}

/** The copy has the modes of its source, where a strict umask or a read-only store may have left nothing for others. */
async function openToAll(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const isProgram = basename(entry.parentPath) === 'bin';
    if (entry.isDirectory() || entry.isFile()) {
      await chmod(join(entry.parentPath, entry.name), entry.isDirectory() || isProgram ? 0o755 : 0o644);
    }
  }
}

async function packageVersion(native: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8'));
  const isManifest = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return isManifest ? String(manifest.version) : 'unknown';
}

function unusable(candidate: BinaryCandidate, failure: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'BINARIES_UNUSABLE',
    `PERDURE_PG_BIN is "${candidate.directory}", but the postgres in it does not run: ${failure}. No other Postgres is ` +
      `tried, because that one was asked for. Point PERDURE_PG_BIN at a folder with postgres and initdb, or unset it.`,
  );
}

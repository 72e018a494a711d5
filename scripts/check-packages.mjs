// Checks the packages as a user gets them: builds, packs every package that is published, runs publint and attw on the
// tarballs, and loads the packed files by import and by require in a folder outside the repository.
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

const temporary = mkdtempSync(join(tmpdir(), 'perdure-packages-'));
const failures = [];

try {
  attempt('build', () => run('turbo', ['run', 'build', '--filter=./packages/*', '--output-logs=errors-only']));
  if (failures.length === 0) checkPackages(readPackages().map(pack));
} finally {
  rmSync(temporary, { recursive: true, force: true });
}

console.log(`packages: ${failures.length} problems${failures.map((failure) => `\n  ${failure}`).join('')}`);
process.exitCode = failures.length === 0 ? 0 : 1;

function checkPackages(packages) {
  for (const { name, tarball } of packages) {
    attempt(`${name}: publint`, () => run('publint', ['--strict', tarball]));
    attempt(`${name}: attw`, () => run('attw', ['--quiet', '--profile', 'node16', tarball]));
  }
  const project = installPacked(packages);
  for (const { name, manifest } of packages) loadEntries(project, name, manifest);
  for (const { name, manifest } of packages) attempt(`${name}: declarations`, () => compile(project, name, manifest));
}

function readPackages() {
  return readdirSync('packages')
    .filter((folder) => existsSync(`packages/${folder}/package.json`))
    .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(`packages/${folder}/package.json`, 'utf8')) }))
    .filter(({ manifest }) => !manifest.private);
}

function pack({ folder, manifest }) {
  const output = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', temporary], {
    cwd: `packages/${folder}`,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ filename }] = Object.values(JSON.parse(output));
  return { name: manifest.name, folder, manifest, tarball: join(temporary, filename) };
}

// No installation, so no network: the tarballs are unpacked, and what they depend on is linked from this repository.
function installPacked(packages) {
  const project = join(temporary, 'project');
  for (const { name, tarball } of packages) {
    const folder = join(project, 'node_modules', name);
    mkdirSync(folder, { recursive: true });
    execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', folder]);
  }
  for (const { folder, manifest } of packages) linkDependencies(project, folder, manifest);
  return project;
}

function linkDependencies(project, folder, { dependencies, peerDependencies }) {
  for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
    const target = join(project, 'node_modules', name);
    const source = [join(root, 'packages', folder, 'node_modules', name), join(root, 'node_modules', name)].find(
      (path) => existsSync(path),
    );
    if (source === undefined || existsSync(target)) continue;
    mkdirSync(dirname(target), { recursive: true });
    symlinkSync(source, target);
  }
}

function loadEntries(project, name, manifest) {
  const entries = Object.keys(manifest.exports ?? {}).filter((entry) => !/\.json$|\*/.test(entry));
  for (const specifier of entries.map((entry) => name + entry.slice(1))) {
    writeFileSync(join(project, 'load.mjs'), `await import('${specifier}');\n`);
    writeFileSync(join(project, 'load.cjs'), `require('${specifier}');\n`);
    attempt(`${specifier}: import`, () => node(project, 'load.mjs'));
    attempt(`${specifier}: require`, () => node(project, 'load.cjs'));
    // Resolvers that do not know module-sync get the CommonJS copy. Nest 12 has none of its own: tests/matrix/nestjs loads ours beside Nest 11.
    if (name === '@perdure/nestjs') continue;
    attempt(`${specifier}: require, CommonJS copy`, () =>
      node(project, '--no-experimental-require-module', 'load.cjs'),
    );
  }
}

// Nobody has to install types for what a package depends on, or skip the check of declarations: but for those of Node,
// and of the frameworks that a package is for, which bring declarations that this would check as well.
function compile(project, name, { peerDependencies }) {
  const frameworks = Object.keys(peerDependencies ?? {}).filter((peer) => !/^(@perdure\/|perdure$)/.test(peer));
  if (frameworks.length > 0) return;
  writeFileSync(join(project, 'check.mts'), `import * as entry from '${name}';\nexport default entry;\n`);
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')];
  const strict = ['--strict', '--skipLibCheck', 'false', '--module', 'nodenext', '--target', 'es2022', '--noEmit'];
  execFileSync(join(root, 'node_modules/.bin/tsc'), [...strict, ...types, 'check.mts'], {
    cwd: project,
    stdio: 'inherit',
  });
}

function node(cwd, ...options) {
  execFileSync(process.execPath, options, { cwd, stdio: 'inherit' });
}

function run(tool, options) {
  execFileSync(join(root, 'node_modules/.bin', tool), options, { stdio: 'inherit' });
}

function attempt(what, check) {
  try {
    check();
  } catch (error) {
    failures.push(`${what}: ${error.message.split('\n', 1)[0]}`);
  }
}

// Checks what no linter knows: which way imports may point, inside the engine and between packages, and how long a
// file may be. Types count like values: a cycle of types is as hard to read as one of values.
//   node scripts/check-architecture.mjs [another repository's root, for the tests of this script]
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url)));

const maxLines = 300;

// A file may import from its own layer and those before it. index.ts, directly under src, stands above them all.
const engineLayers = ['values', 'store', 'run', 'services', 'api'];

// What the sources of a package may import from this repository.
const allowedPackages = {
  engine: [],
  embedded: [],
  http: ['engine'],
  express: ['engine', 'http'],
  nestjs: ['engine', 'http', 'testing'],
  next: ['engine', 'http'],
  dashboard: ['engine', 'http'],
  cli: ['engine', 'embedded'],
  kafka: ['engine'],
  datasources: ['engine'],
  ai: ['engine'],
  testing: ['engine', 'embedded'],
};

const problems = [];
const packages = readPackages();
const files = ['packages', 'examples', 'apps', 'tests', 'benchmarks'].flatMap(listSources).map(readSource);
const importsByPath = new Map(files.map((file) => [file.path, file.imports.map(({ target }) => target)]));

for (const file of files) {
  if (file.isPackageSource) checkShape(file);
  for (const imported of file.imports) {
    if (imported.target === undefined) checkPackageImport(file, imported.specifier);
    else checkRelativeImport(file, imported);
  }
}
checkCycles();

for (const problem of problems.sort()) console.error(problem);
console.log(`architecture: ${files.length} files, ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;

function checkShape(file) {
  if (file.path.endsWith('.generated.ts')) return;
  if (file.lineCount > maxLines) {
    report(file, `has ${file.lineCount} lines, the limit is ${maxLines}. Split it by what its parts do.`);
  }
  if (/^(export )?(let|var) /m.test(file.text)) {
    report(file, 'keeps state in its module (a top-level let). Move it into a value that is created and passed.');
  }
  if (file.package === 'engine' && layerOf(file.path) === undefined) {
    report(file, `is in no layer. Put it under src/${engineLayers.join('/, src/')}/.`);
  }
}

function checkRelativeImport(file, { specifier, target }) {
  if (file.isPackageSource && !target.startsWith(`packages/${file.package}/src/`)) {
    report(file, `imports ${specifier}, outside its own src. Import what that package exports, by its name.`);
    return;
  }
  if (target.startsWith('packages/') && packageOf(target) !== file.package) {
    report(file, `imports ${specifier}, the inside of another package. Import what it exports, by its name.`);
    return;
  }
  if (file.package === 'engine' && file.isPackageSource) checkLayer(file, target);
}

function checkLayer(file, target) {
  const [from, to] = [layerOf(file.path), layerOf(target)];
  if (from === undefined || to === undefined || to <= from) return;
  const name = (layer) => engineLayers[layer] ?? 'index.ts';
  report(file, `imports ${target}: ${name(from)} lies below ${name(to)}, and imports only go down.`);
}

function checkPackageImport(file, specifier) {
  const imported = packages.find(({ name }) => specifier === name || specifier.startsWith(`${name}/`));
  if (imported === undefined) return;
  const entry = `.${specifier.slice(imported.name.length)}`;
  if (!imported.entries.includes(entry)) {
    report(file, `imports ${specifier}, which ${imported.name} does not export.`);
  }
  if (!file.isPackageSource) return;
  const allowed = allowedPackages[file.package] ?? [];
  if (imported.folder !== file.package && !allowed.includes(imported.folder)) {
    report(file, `imports ${specifier}: ${file.package} may depend on ${allowed.join(', ') || 'no other package'}.`);
  }
}

function checkCycles() {
  const finished = new Set();
  for (const path of importsByPath.keys()) visit(path, [], finished);
}

function visit(path, trail, finished) {
  const start = trail.indexOf(path);
  if (start >= 0) {
    problems.push(`${path}: cycle ${[...trail.slice(start), path].join(' → ')}. Move what both sides need below them.`);
    return;
  }
  if (finished.has(path)) return;
  for (const target of importsByPath.get(path) ?? []) {
    if (target !== undefined) visit(target, [...trail, path], finished);
  }
  finished.add(path);
}

function report(file, message) {
  problems.push(`${file.path}: ${message}`);
}

function readPackages() {
  return readdirSync('packages')
    .filter((folder) => existsSync(`packages/${folder}/package.json`))
    .map((folder) => {
      const { name, exports } = JSON.parse(readFileSync(`packages/${folder}/package.json`, 'utf8'));
      return { folder, name, entries: Object.keys(exports ?? {}) };
    });
}

function listSources(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return /^(node_modules|dist|\..*)$/.test(entry.name) ? [] : listSources(path);
    return /\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

function readSource(path) {
  const text = readFileSync(path, 'utf8');
  const imports = findSpecifiers(text).map((specifier) => ({ specifier, target: resolveRelative(path, specifier) }));
  return {
    path,
    text,
    imports,
    lineCount: text.replace(/\n$/, '').split('\n').length,
    package: packageOf(path),
    isPackageSource: /^packages\/[^/]+\/src\//.test(path),
  };
}

// Statements start at the margin in formatted code, so the examples in docstrings do not count.
function findSpecifiers(text) {
  const patterns = [
    /^(?:import|export)\s[^'";]*?\bfrom\s+'([^']+)'/gm,
    /^import\s+'([^']+)'/gm,
    /^(?!\s*(?:\*|\/\/)).*?\bimport\('([^']+)'\)/gm,
  ];
  return patterns.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1]));
}

function resolveRelative(path, specifier) {
  if (!specifier.startsWith('.')) return undefined;
  const target = relative('.', join(dirname(path), specifier));
  const candidates = [target.replace(/\.js$/, '.ts'), target.replace(/\.jsx?$/, '.tsx'), target];
  return candidates.find((candidate) => existsSync(candidate)) ?? target;
}

function packageOf(path) {
  return /^packages\/([^/]+)\//.exec(path)?.[1];
}

function layerOf(path) {
  if (path === 'packages/engine/src/index.ts') return engineLayers.length;
  const layer = engineLayers.indexOf(/^packages\/engine\/src\/([^/]+)\//.exec(path)?.[1]);
  return layer >= 0 ? layer : undefined;
}

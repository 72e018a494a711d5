// Type-checks every workspace with its own tsconfig.json, and the tests across packages with the one at the root.
// Nothing has to be built for it: packages resolve to each other's sources.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const folders = ['packages', 'examples', 'apps']
  .filter((parent) => existsSync(parent))
  .flatMap((parent) => readdirSync(parent).map((name) => `${parent}/${name}`));

const projects = [...folders, 'benchmarks', 'tests'].filter((folder) => existsSync(`${folder}/tsconfig.json`));

const failed = projects.filter(
  (project) => spawnSync('node_modules/.bin/tsc', ['-p', project], { stdio: 'inherit' }).status !== 0,
);
console.log(
  `types: ${projects.length} projects, ${failed.length} with errors${failed.map((project) => `\n  ${project}`).join('')}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;

// Builds the package in the current folder: src -> dist/esm and dist/cjs, with declarations and source maps.
// Run by each package's `build` script. Two passes of the same sources, because Node loads ESM and older resolvers
// (Jest in CommonJS mode, TypeScript's node16 from CommonJS) still need the other form.
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const tsc = fileURLToPath(new URL('../node_modules/.bin/tsc', import.meta.url));

function compile(...options) {
  const { status } = spawnSync(tsc, ['-p', 'tsconfig.build.json', ...options], { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}

// A file deleted from src must not live on in the tarball.
rmSync('dist', { recursive: true, force: true });

compile('--outDir', 'dist/esm');
// verbatimModuleSyntax would refuse to write ESM sources as CommonJS; the first pass has already checked them with it.
compile(
  '--outDir',
  'dist/cjs',
  '--module',
  'commonjs',
  '--moduleResolution',
  'bundler',
  '--verbatimModuleSyntax',
  'false',
);
writeFileSync('dist/cjs/package.json', '{ "type": "commonjs" }\n');

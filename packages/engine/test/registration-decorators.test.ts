// Both decorator systems, as the compilers that users have translate them. What the decorators do is tested in
// registration-classes.test.ts, where the compiler of the tests uses the legacy system.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { transformFileSync, type TransformConfig } from '@swc/core';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

const root = fileURLToPath(new URL('../../..', import.meta.url));
const programs = join(root, 'packages/engine/test/programs');
const program = join(programs, 'decorated.ts');
let directory = '';

beforeAll(() => {
  const cache = join(root, 'node_modules/.cache'); // inside of the repository, so that packages are found by name
  mkdirSync(cache, { recursive: true });
  directory = mkdtempSync(join(cache, 'perdure-decorators-'));
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
});

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

function compileWithTypeScript(name: string, options: readonly string[]): string {
  const outDir = join(directory, name);
  const fixed = ['--ignoreConfig', '--noCheck', '--noResolve', '--module', 'nodenext', '--target', 'es2022'];
  const places = ['--rootDir', programs, '--outDir', outDir, program];
  const { status, stdout } = spawnSync(join(root, 'node_modules/.bin/tsc'), [...fixed, ...options, ...places]);
  if (status !== 0) throw new Error(`tsc failed: ${String(stdout)}`);
  return join(outDir, 'decorated.js');
}

function compileWithSwc(name: string, transform: TransformConfig): string {
  const jsc = { parser: { syntax: 'typescript', decorators: true }, target: 'es2022', transform } as const;
  const file = join(directory, `${name}.js`);
  writeFileSync(file, transformFileSync(program, { swcrc: false, jsc, module: { type: 'es6' } }).code);
  return file;
}

const compilers: Readonly<Record<string, () => string>> = {
  'tsc, TC39': () => compileWithTypeScript('tc39', []),
  'tsc, legacy': () => compileWithTypeScript('legacy', ['--experimentalDecorators']),
  'tsc, legacy with metadata': () =>
    compileWithTypeScript('metadata', ['--experimentalDecorators', '--emitDecoratorMetadata']),
  'swc, TC39': () => compileWithSwc('swc-tc39', { decoratorVersion: '2022-03' }),
  'swc, legacy': () => compileWithSwc('swc-legacy', { legacyDecorator: true }),
};

test.each(Object.keys(compilers))('a decorated class runs as a workflow when compiled by %s [60]', async (name) => {
  const file = compilers[name]?.() ?? '';

  const child = db.spawn('compiled', { args: [file] });

  expect(await child.message('done')).toMatchObject({
    result: ['charged 7', 'mailed Ada', 'generic', '2 receipts'],
    steps: ['step charge the card', 'step confirm', 'step identity', 'step audit'],
  });
});

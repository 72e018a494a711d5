// The tsx blocks of the pages on Next are files of applications, named by their first line: each page's type-check together.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect, jest, test } from '@jest/globals';
import { root } from './snippets.js';

jest.setTimeout(60_000);

const pages = [
  'packages/next/README.md',
  'docs/recipes/next-application.md',
  'docs/recipes/next-live-progress.md',
  'docs/recipes/next-server-actions.md',
  'docs/operate/next.md',
];
const programs = join(root, 'tests', 'docs', '.snippets', `next-${process.pid}`);

afterAll(() => {
  rmSync(programs, { recursive: true, force: true });
});

test.each(pages)('the files of %s type-check', (page) => {
  const folder = join(programs, page.replaceAll('/', '-'));
  const files = filesOf(readFileSync(join(root, page), 'utf8'));
  for (const { path, code } of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), code);
  }
  const compilerOptions = {
    lib: ['es2023', 'dom', 'dom.iterable'],
    module: 'esnext',
    moduleResolution: 'bundler',
    jsx: 'react-jsx',
    types: ['node', 'react'],
  };
  const settings = { extends: '../../../../../tsconfig.base.json', include: ['**/*.ts', '**/*.tsx'], compilerOptions };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));

  const { stdout } = spawnSync(join(root, 'node_modules', '.bin', 'tsc'), ['-p', folder], { encoding: 'utf8' });

  expect(stdout).toBe('');
  expect(files.length).toBeGreaterThan(3);
});

function filesOf(text: string): { readonly path: string; readonly code: string }[] {
  return [...text.matchAll(/^```tsx\n\/\/ (\S+)\n([^]*?)^```$/gm)].map(([, path = '', code = '']) => ({ path, code }));
}

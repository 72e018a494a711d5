// The reference is complete: each option of an engine has its row.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { root } from './snippets.js';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');

test('every option of an engine has a row in the reference, and every row is one', () => {
  const [, body = ''] =
    /interface EngineOptions \{\n([^]*?)\n\}/.exec(read('packages/engine/src/api/options.ts')) ?? [];
  const options = [...body.matchAll(/^  readonly (\w+)/gm)].map(([, name]) => name);

  const rows = [...read('docs/reference/engine-options.md').matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);

  expect(options.length).toBeGreaterThan(15);
  expect(new Set(rows)).toEqual(new Set(options));
});

// The checker itself: each rule is broken once in a small repository of its own.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';

const checker = new URL('../../scripts/check-architecture.mjs', import.meta.url).pathname;

const manifests = {
  'packages/engine/package.json': '{ "name": "perdure", "exports": { ".": "./src/index.ts" } }',
  'packages/http/package.json': '{ "name": "@perdure/http", "exports": { ".": "./src/index.ts" } }',
};

function check(files: Readonly<Record<string, string>>): { readonly status: number | null; readonly output: string } {
  const root = mkdtempSync(join(tmpdir(), 'perdure-architecture-'));
  try {
    for (const [path, text] of Object.entries({ ...manifests, ...files })) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    const { status, stderr } = spawnSync(process.execPath, [checker, root], { encoding: 'utf8' });
    return { status, output: stderr };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

test('imports down the layers, and between packages by name, are accepted', () => {
  const result = check({
    'packages/engine/src/index.ts': "export { run } from './api/engine.js';\n",
    'packages/engine/src/api/engine.ts': "import { id } from '../values/ids.js';\nexport const run = id;\n",
    'packages/engine/src/values/ids.ts': 'export const id = 1;\n',
    'packages/http/src/index.ts': "import { run } from 'perdure';\nexport const route = run;\n",
  });

  expect(result).toEqual({ status: 0, output: '' });
});

test.each([
  {
    rule: 'an import up the layers, even of a type,',
    path: 'packages/engine/src/values/ids.ts',
    text: "import type {\n  Run,\n} from '../run/context.js';\n",
    message: 'values lies below run',
  },
  {
    rule: 'a file of the engine outside its layers',
    path: 'packages/engine/src/helpers.ts',
    text: 'export const a = 1;\n',
    message: 'is in no layer',
  },
  {
    rule: "a relative import of another package's inside",
    path: 'packages/http/test/route.test.ts',
    text: "import { a } from '../../engine/src/values/ids.js';\n",
    message: 'the inside of another package',
  },
  {
    rule: 'an entry that the other package does not export',
    path: 'packages/http/src/index.ts',
    text: "export { a } from 'perdure/store';\n",
    message: 'which perdure does not export',
  },
  {
    rule: 'a dependency of the engine on an adapter',
    path: 'packages/engine/src/api/engine.ts',
    text: "type Route = import('@perdure/http').Route;\n",
    message: 'engine may depend on no other package',
  },
  {
    rule: 'state in a module',
    path: 'packages/http/src/index.ts',
    text: 'let count = 0;\n',
    message: 'keeps state in its module',
  },
  {
    rule: 'a file of 301 lines',
    path: 'packages/http/src/index.ts',
    text: '// line\n'.repeat(301),
    message: 'has 301 lines, the limit is 300',
  },
])('$rule is refused', ({ path, text, message }) => {
  const result = check({ [path]: text });

  expect(result.status).toBe(1);
  expect(result.output).toContain(`${path}: `);
  expect(result.output).toContain(message);
});

test('a cycle is refused, even one of types alone', () => {
  const result = check({
    'packages/http/src/a.ts': "import type { B } from './b.js';\nexport type A = B;\n",
    'packages/http/src/b.ts': "import type { A } from './a.js';\nexport type B = A;\n",
  });

  expect(result.status).toBe(1);
  expect(result.output).toContain('cycle packages/http/src/a.ts → packages/http/src/b.ts → packages/http/src/a.ts');
});

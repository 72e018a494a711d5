// The engine inside of a bundle: one file, minified, without the files of the package beside it.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawnProcess } from '@perdure/testing';
import { build } from 'esbuild';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { engineOptionsVariable } from './support/child-engine.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'perdure-bundle-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Bundles programs/bundled.ts with everything that it needs; returns the file. */
async function bundle(format: 'cjs' | 'esm'): Promise<string> {
  const outfile = join(directory, format === 'cjs' ? 'bundle.cjs' : 'bundle.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('programs/bundled.ts', import.meta.url))],
    outfile,
    format,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    external: ['pg-native'],
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
    // What CommonJS packages inside of an ES module need, as the bundler's documentation says.
    ...(format === 'esm'
      ? {
          banner: {
            js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
          },
        }
      : {}),
  });
  return outfile;
}

test.each(['cjs', 'esm'] as const)(
  'bundled and minified as %s, workflows and steps keep their names [173]',
  async (format) => {
    const file = await bundle(format);

    const child = spawnProcess(file, {
      env: { [engineOptionsVariable]: JSON.stringify({ database: db.engineUrl, listen: false, pollInterval: '50ms' }) },
    });
    const { results, steps } = await child.message('results');

    expect(results).toEqual([41, 'Hello you']);
    expect(steps).toEqual(['bundled child', 'one', 'compose']);
    expect(await child.exited).toEqual({ code: 0, signal: null });
    expect(await db.query('select distinct workflow from perdure.runs order by workflow')).toEqual([
      { workflow: 'bundled child' },
      { workflow: 'bundled greeter' },
      { workflow: 'bundled parent' },
    ]);
  },
);

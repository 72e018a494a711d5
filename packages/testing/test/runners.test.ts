// Other runners of tests than the one that runs this.

import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { spawnProcess } from '../src/index.js';

test('a test of node:test has its engine and its time, and ends', async () => {
  const program = fileURLToPath(new URL('programs/in-node-test.ts', import.meta.url));

  const child = spawnProcess(program);

  await child.line(/pass 1$/);
  expect(await child.exited).toEqual({ code: 0, signal: null });
});

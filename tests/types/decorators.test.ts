// The decorators in the legacy system (experimentalDecorators), which the type tests' own configuration does not use.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('the types of the decorators hold in the legacy system as they do in that of TC39', () => {
  const options = ['--noEmit', '--project', 'tests/types/tsconfig.legacy.json'];

  const { status, stdout } = spawnSync('node_modules/.bin/tsc', options, { cwd: root, encoding: 'utf8' });

  expect(stdout).toBe('');
  expect(status).toBe(0);
});

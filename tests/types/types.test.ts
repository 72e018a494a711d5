// The files beside this one say what the compiler accepts and, by @ts-expect-error, what it refuses.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('wrong inputs, names, options, topics, events, streams, queues and schedules do not compile [67]', () => {
  const options = ['--noEmit', '--project', 'tests/types/tsconfig.json'];

  const { status, stdout } = spawnSync('node_modules/.bin/tsc', options, { cwd: root, encoding: 'utf8' });

  expect(stdout).toBe('');
  expect(status).toBe(0);
}, 60_000);

import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { startPostgres } from '../src/index.js';
import { killServer } from './kill-server.js';
import { query } from './query.js';
import { startInChild } from './start-in-child.js';
import { temporaryDirectory } from './temporary-directory.js';

test('five processes racing for a new cluster create one and share its server', async () => {
  const directory = await temporaryDirectory();

  const reports = await Promise.all([1, 2, 3, 4, 5].map(() => startInChild({ directory })));

  expect(reports.map(({ how }) => how).sort()).toEqual(['attached', 'attached', 'attached', 'attached', 'created']);
  expect(new Set(reports.map(({ pid }) => pid)).size).toBe(1);
});

test('the server outlives the kill of the process that started it', async () => {
  const directory = await temporaryDirectory();
  const report = await startInChild({ directory });

  const attached = await startPostgres({ directory });

  expect(attached).toMatchObject({ how: 'attached', pid: report.pid });
});

// Its parent is gone, so that where PID 1 does not reap, the killed server also stays behind as a zombie.
test('rows survive the kill of the server, which the next call starts again', async () => {
  const directory = await temporaryDirectory();
  const { url, pid } = await startInChild({ directory });
  await query(url, 'create table kept as select 1 as id');
  await killServer(pid);

  const restarted = await startPostgres({ directory });

  expect(restarted).toMatchObject({ how: 'started', url });
  expect(await query(restarted.url, 'select id from kept')).toEqual([{ id: 1 }]);
});

test('what a process killed while creating a cluster left behind is in nobody’s way', async () => {
  const directory = await temporaryDirectory();
  const deadPid = 2 ** 22 + 1; // beyond the largest process number of Linux
  await writeFile(join(directory, 'start.lock'), String(deadPid));
  await mkdir(join(directory, `creating-${deadPid}`));

  const postgres = await startPostgres({ directory });

  expect(postgres.how).toBe('created');
  expect((await readdir(directory)).sort()).toEqual(['data', 'port', 'postgres.log']);
});

test('a postmaster.pid that names another living process does not look like a server', async () => {
  const directory = await temporaryDirectory();
  const first = await startPostgres({ directory });
  await first.stop();
  const lines = [process.pid, join(directory, 'data'), 1, first.port, '', '127.0.0.1', '1 1', 'ready'];
  await writeFile(join(directory, 'data', 'postmaster.pid'), lines.join('\n'));

  const second = await startPostgres({ directory });

  expect(second.how).toBe('started');
});

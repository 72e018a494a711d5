import { chmod, chown, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { startPostgres } from '../src/index.js';
import { killServer } from './kill-server.js';
import { query } from './query.js';
import { startInChild } from './start-in-child.js';
import { temporaryDirectory } from './temporary-directory.js';

const nobody = 65534;
const noOne = 54321; // has no entry in /etc/passwd

// Only root can become someone else; an ordinary user's own start is what all other tests run as then.
const asRoot = process.getuid?.() === 0 ? describe : describe.skip;

asRoot('a root caller', () => {
  test('gets a server that runs as nobody', async () => {
    const directory = await temporaryDirectory();

    const postgres = await startPostgres({ directory });

    expect((await stat(join(directory, 'data'))).uid).toBe(nobody);
    expect((await stat(`/proc/${postgres.pid}`)).uid).toBe(nobody);
  });

  test('starts a cluster that an ordinary user created, as that user', async () => {
    const directory = await temporaryDirectory();
    await chown(directory, nobody, nobody);
    const { url, how, pid } = await startInChild({ directory }, nobody);
    await query(url, 'create table kept as select 1 as id');
    await killServer(pid);

    const postgres = await startPostgres({ directory });

    expect([how, postgres.how]).toEqual(['created', 'started']);
    expect(await query(postgres.url, 'select id from kept')).toEqual([{ id: 1 }]);
  });

  test('learns which folder keeps the server from its data', async () => {
    const closed = join(await temporaryDirectory(), 'closed');
    await mkdir(closed);
    await chmod(closed, 0o700);

    const start = startPostgres({ directory: join(closed, 'postgres') });

    await expect(start).rejects.toMatchObject({ code: 'DIRECTORY_UNUSABLE' });
    await expect(start).rejects.toThrow(`chmod o+x "${closed}"`);
  });

  test('a user without an entry in /etc/passwd is told so', async () => {
    const directory = await temporaryDirectory();
    await chown(directory, noOne, noOne);

    expect(await startInChild({ directory }, noOne)).toEqual({ code: 'USER_UNKNOWN' });
  });
});

// One time for all processes on a database.

import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { contract, sleep, workflow } from 'perdure';
import { connectTestClock, createTestDatabase, createTestEngine, spawnProcess } from '../src/index.js';

const sleeper = fileURLToPath(new URL('programs/sleeper.ts', import.meta.url));
const elsewhere = contract<number, { readonly pid: number; readonly at: Date }>('elsewhere');
const here = workflow('here', async (days: number) => sleep(`${days} days`));

test('runs of another process wake with those of this one, also from waits in its memory', async () => {
  const { engine, clock, database, waitForStatus } = await createTestEngine({ workflows: [here] });
  const child = spawnProcess(sleeper, { env: { DATABASE_URL: database.url } });
  await child.message('launched');
  const before = await clock.now();
  const runs = [await engine.startWorkflow(elsewhere, 5), await engine.startWorkflow(here, 5)] as const;
  await waitForStatus(runs[1], 'waiting');

  await clock.advance('6 days');

  const [theirs] = await Promise.all([runs[0].result(), runs[1].result()]);
  expect(theirs.pid).toBe(child.pid);
  expect(theirs.at.getTime() - before.getTime()).toBeGreaterThanOrEqual(5 * 86_400_000);
});

test('another process can move the time', async () => {
  const { engine, clock, database, waitForStatus } = await createTestEngine({ workflows: [here] });
  const run = await engine.startWorkflow(here, 5);
  await waitForStatus(run, 'waiting');
  const theirs = await connectTestClock(database.url);

  await theirs.advance('5 days');

  expect(await run.status()).toBe('succeeded');
  expect(Math.abs((await theirs.now()).getTime() - (await clock.now()).getTime())).toBeLessThan(10_000);
  await theirs.close();
});

test('a database or a connection without virtual time has no clock', async () => {
  const { database } = await createTestEngine();
  const real = await createTestDatabase();

  const urls = [real.url, `${database.url}?options=-csearch_path%3Dpublic`];
  const errors = await Promise.all(urls.map((url) => connectTestClock(url).catch((error: unknown) => String(error))));

  expect(errors).toEqual(urls.map(() => expect.stringContaining('has no time of its own')));
  await real.drop();
});

test('an engine that was killed keeps no time from passing', async () => {
  const { clock, database } = await createTestEngine({ workflows: [here] });
  const child = spawnProcess(sleeper, { env: { DATABASE_URL: database.url } });
  await child.message('launched');
  child.kill('SIGKILL');
  await child.exited;
  const before = await clock.now();

  await clock.advance('6 days');

  expect((await clock.now()).getTime() - before.getTime()).toBeGreaterThanOrEqual(6 * 86_400_000);
});

// Each program of the handbook says what its page says that it says.

import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { fileURLToPath } from 'node:url';
import { createTestDatabase, spawnProcess, type SpawnedProcess, type TestDatabase } from '@perdure/testing';
import { createEngine, silentLogger } from 'perdure';

jest.setTimeout(60_000);

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ prefix: 'handbook' });
});
afterAll(() => database.drop());

function startProgram(program: string): SpawnedProcess {
  const file = fileURLToPath(new URL(`../${program}.ts`, import.meta.url));
  return spawnProcess(file, { env: { DATABASE_URL: database.url } });
}

async function outputOf(program: string): Promise<readonly string[]> {
  const child = startProgram(program);
  const { code } = await child.exited;
  return [...child.lines, `exit ${code}`];
}

test('reminders are sent although the server restarts while they sleep', async () => {
  expect(await outputOf('reminders')).toEqual([
    '2 reminders are scheduled',
    'the server is restarted',
    'mail to ada: your trial ends tomorrow',
    'mail to grace: your invoice is due',
    'all reminders are sent',
    'exit 0',
  ]);
});

test('a refund is paid when a human agrees, and is passed on when nobody decides', async () => {
  expect(await outputOf('refund')).toEqual([
    'proposed: 3000 cents for A-1, because the customer writes "The parcel never came."',
    'A-1: Ada approved, paid back with refund-A-1-3000',
    'A-2: Grace says no',
    'A-3: nobody decided in 500ms, so it goes to the team lead',
    'exit 0',
  ]);
});

test('fan-out adds up what fifty children found', async () => {
  expect(await outputOf('fan-out')).toEqual([
    '50 documents have 1275 words',
    'counted by 50 child runs, the first is <run>/count words',
    'exit 0',
  ]);
});

test('an hourly report is made up for each hour of a night that has one less', async () => {
  expect(await outputOf('hourly-report')).toEqual([
    'the next report is due at minute 0 of an hour',
    '00:00: the shop in Berlin sold 41 pieces',
    '01:00: the shop in Berlin sold 18 pieces',
    '03:00: the shop in Berlin sold 19 pieces',
    '04:00: the shop in Berlin sold 20 pieces',
    '4 reports of that night, 98 pieces',
    'exit 0',
  ]);
});

test('an indexing pipeline that is killed goes on where it was', async () => {
  const killed = startProgram('indexing');
  await killed.line(/^250 of 1000/);
  killed.kill('SIGKILL');
  await killed.exited;
  const done = await finishedPages();

  const next = await outputOf('indexing');

  expect(next).toEqual([
    '0 pages enqueued, 1000 were there before',
    '250 of 1000',
    '500 of 1000',
    '750 of 1000',
    '1000 of 1000',
    'first book: 11000 entries in the index',
    'exit 0',
  ]);
  expect(done.length).toBeGreaterThanOrEqual(250);
  expect(await finishedPages()).toEqual(expect.arrayContaining([...done]));
});

// With the moment at which each was finished, which a page that is done again would change.
async function finishedPages(): Promise<readonly string[]> {
  const engine = await createEngine({ database: database.url, logger: silentLogger }).launch();
  const { runs } = await engine.runs.list({ workflow: 'index page', status: 'succeeded', limit: 1_000 });
  await engine.close();
  return runs.map(({ id, finishedAt }) => `${id} at ${finishedAt?.toISOString()}`);
}

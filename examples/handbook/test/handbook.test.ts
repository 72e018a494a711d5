// Each program of the handbook says what its page says that it says.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fileURLToPath } from 'node:url';
import { createTestDatabase, spawnProcess, type TestDatabase } from '@perdure/testing';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ prefix: 'handbook' });
});
afterAll(() => database.drop());

async function outputOf(program: string): Promise<readonly string[]> {
  const file = fileURLToPath(new URL(`../${program}.ts`, import.meta.url));
  const child = spawnProcess(file, { env: { DATABASE_URL: database.url } });
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

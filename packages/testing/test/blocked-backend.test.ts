import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestDatabase, waitForBlockedBackend, type TestDatabase } from '../src/index.js';
import { connect } from './connect.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await (await connect(database.url)).query('create table accounts as select 1 as id');
});
afterAll(() => database.drop());

test('it resolves once the other side waits for the lock', async () => {
  const [holder, other] = [await connect(database.url), await connect(database.url)];
  await holder.query('begin');
  await holder.query('update accounts set id = 1');
  const update = other.query('update accounts set id = 2');

  await waitForBlockedBackend(holder, { statement: 'UPDATE accounts' });

  await holder.query('commit');
  expect((await update).rowCount).toBe(1);
});

test('nobody waiting is an error that says who was awaited', async () => {
  const client = await connect(database.url);

  const waiting = waitForBlockedBackend(client, { statement: 'delete from accounts', timeoutMs: 20 });

  await expect(waiting).rejects.toThrow(
    'still waiting for 1 connection(s) to wait for a lock in a statement with "delete from accounts" after 20 ms',
  );
});

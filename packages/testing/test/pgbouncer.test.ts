import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, findPgBouncer, startPgBouncer, type PgBouncer, type TestDatabase } from '../src/index.js';
import { connect } from './connect.js';

const withPgBouncer = findPgBouncer() === undefined ? describe.skip : describe;

withPgBouncer('PgBouncer', () => {
  let database: TestDatabase;
  let pooler: PgBouncer;
  beforeAll(async () => {
    database = await createTestDatabase();
    pooler = (await startPgBouncer(database.url)) ?? { url: '', stop: () => Promise.resolve() };
  });
  afterAll(async () => {
    await pooler.stop();
    await database.drop();
  });

  test('reaches the same database', async () => {
    const { rows } = await (await connect(pooler.url)).query('select current_database() as name');

    expect(rows).toEqual([{ name: database.name }]);
  });

  test('pools by transaction: between two of them another client gets the session', async () => {
    const [first, second] = [await connect(pooler.url), await connect(pooler.url)];

    await first.query('set search_path to only_mine');

    const { rows } = await second.query('show search_path');
    expect(rows).toEqual([{ search_path: 'only_mine' }]);
  });

  test('lets in more clients than the server would', async () => {
    const clients = await Promise.all(Array.from({ length: 300 }, () => connect(pooler.url)));

    const answers = await Promise.all(clients.map((client) => client.query('select 1 as one')));

    expect(answers).toHaveLength(300);
  });

  test('a stopped pooler is gone', async () => {
    const other = await startPgBouncer(database.url);
    await other?.stop();

    await expect(connect(other?.url ?? '')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestDatabase, ensureTemplate, type TestDatabase } from '../src/index.js';
import { testServerUrl } from '../src/test-server.js';
import { connect } from './connect.js';

const databases: TestDatabase[] = [];
let template: string;

beforeAll(async () => {
  template = await ensureTemplate('self_test', { fingerprint: 'one table', migrate: createTable });
});
afterAll(() => Promise.all(databases.map((database) => database.drop())));

test('a database begins as a copy of its template', async () => {
  const client = await connect((await create({ template })).url);

  expect((await client.query('select * from kept')).rows).toEqual([{ id: 1 }]);
});

test('databases of one template share nothing', async () => {
  const [first, second] = await Promise.all([create({ template }), create({ template })]);

  await (await connect(first.url)).query('insert into kept values (2)');

  expect((await (await connect(second.url)).query('select id from kept')).rows).toEqual([{ id: 1 }]);
});

test('without a template a database is empty, and named by its prefix', async () => {
  const database = await create({ prefix: 'empty' });

  const { rows } = await (await connect(database.url)).query('select current_database() as name');

  expect(database.name).toMatch(/^empty_[0-9a-f]{12}$/);
  expect(rows).toEqual([{ name: database.name }]);
});

test('a database is dropped under its clients, and may be dropped twice', async () => {
  const database = await create({ template });
  await connect(database.url);

  await database.drop();
  await database.drop();

  await expect(connect(database.url)).rejects.toMatchObject({ code: '3D000' });
});

test('of many who ask at once, one migrates the template', async () => {
  let migrations = 0;
  const recipe = {
    fingerprint: String(Math.random()),
    migrate: async (url: string) => {
      migrations += 1;
      await createTable(url);
    },
  };

  const names = await Promise.all([1, 2, 3, 4].map(() => ensureTemplate('race', recipe)));

  await dropTemplate(names[0]);
  expect(migrations).toBe(1);
  expect(new Set(names).size).toBe(1);
});

test('other migrations make another template', async () => {
  const changed = await ensureTemplate('self_test', { fingerprint: 'two tables', migrate: createTable });

  expect(changed).not.toBe(template);
});

test('a migration that failed is done again by the next who asks', async () => {
  const fingerprint = String(Math.random());
  const failing = ensureTemplate('failing', { fingerprint, migrate: () => Promise.reject(new Error('syntax')) });
  await expect(failing).rejects.toThrow('syntax');

  const name = await ensureTemplate('failing', { fingerprint, migrate: createTable });

  const client = await connect((await create({ template: name })).url);
  await dropTemplate(name);
  expect((await client.query('select * from kept')).rowCount).toBe(1);
});

async function create(options: Parameters<typeof createTestDatabase>[0]): Promise<TestDatabase> {
  const database = await createTestDatabase(options);
  databases.push(database);
  return database;
}

async function createTable(url: string): Promise<void> {
  const client = await connect(url);
  await client.query('create table kept as select 1 as id');
  await client.end();
}

/** On a server that outlives the run, templates with random fingerprints would pile up. */
async function dropTemplate(name: string | undefined): Promise<void> {
  await (await connect(await testServerUrl())).query(`drop database ${name}`);
}

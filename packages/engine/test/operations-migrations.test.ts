// How the schema gets into the database: by any number of processes at once, by a DBA, or not at all.

import { afterEach, expect, test } from '@jest/globals';
import { createTestDatabase, waitForBlockedBackend, type TestDatabase } from '@perdure/testing';
import pg from 'pg';
import { createEngine, printMigrations, runStep, silentLogger, workflow, type EngineOptions } from '../src/index.js';
import { perdureErrorOf } from './support/perdure-error-of.js';

const greet = workflow('greet', (name: string) => runStep('compose', () => `Hello ${name}`));
const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function emptyDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase({ prefix: 'perdure_migrations' });
  cleanups.push(() => database.drop());
  return database;
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  cleanups.push(() => client.end());
  return client;
}

/** Launches an engine, has it finish a run, and closes it. */
async function greetWith(options: EngineOptions): Promise<string> {
  const engine = createEngine({ logger: silentLogger, workflows: [greet], ...options });
  try {
    await engine.launch();
    return await (await engine.startWorkflow(greet, 'you')).result();
  } finally {
    await engine.close();
  }
}

test('launching on a schema that is up to date changes nothing [168]', async () => {
  const { url } = await emptyDatabase();
  await greetWith({ database: url });
  const client = await connect(url);
  const applied = (await client.query('select * from perdure.migrations')).rows;

  await greetWith({ database: url });

  expect((await client.query('select * from perdure.migrations')).rows).toEqual(applied);
});

test('first launches of many engines at once all succeed [169]', async () => {
  const { url } = await emptyDatabase();

  const greetings = await Promise.all(Array.from({ length: 8 }, () => greetWith({ database: url, poolSize: 2 })));

  expect(greetings).toEqual(Array.from({ length: 8 }, () => 'Hello you'));
});

test('a migration that failed leaves nothing behind and is applied by the next launch [168]', async () => {
  const { url } = await emptyDatabase();
  const client = await connect(url);
  await client.query('create schema perdure; create table perdure.steps (in_the_way int)');

  await perdureErrorOf(greetWith({ database: url }), 'MIGRATION_FAILED');
  const tables = await client.query(`select tablename from pg_tables where schemaname = 'perdure' order by tablename`);
  await client.query('drop table perdure.steps');

  expect(tables.rows).toEqual([{ tablename: 'migrations' }, { tablename: 'steps' }]);
  expect(await greetWith({ database: url })).toBe('Hello you');
});

test('a connection that is lost during a migration fails the launch and not the process [166, 168]', async () => {
  const { url } = await emptyDatabase();
  const [holder, observer] = [await connect(url), await connect(url)];
  await holder.query('create schema perdure');
  await holder.query('begin');
  await holder.query('create table perdure.migrations (blocked int)');

  const launched = perdureErrorOf(greetWith({ database: url }), 'DATABASE_UNREACHABLE');
  await waitForBlockedBackend(observer, { statement: 'create table' });
  await observer.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where application_name = 'perdure' and datname = current_database()`,
  );

  await launched;
});

test('a migration that waits for a table lets others through to it, and is applied once it is free [168]', async () => {
  const { url } = await emptyDatabase();
  await greetWith({ database: url });
  const [holder, other] = [await connect(url), await connect(url)];
  await holder.query(`delete from perdure.migrations where name = 'run_lists'; drop index perdure.runs_created`);
  await holder.query('begin; lock table perdure.runs in row exclusive mode');
  const launched = greetWith({ database: url });
  await waitForBlockedBackend(other, { statement: 'create index' });

  await other.query(`set statement_timeout = '10s'; update perdure.runs set status = status`);
  await holder.query('commit');

  expect(await launched).toBe('Hello you');
});

test('a schema newer than the code is accepted unless it says that older code cannot go on [168]', async () => {
  const { url } = await emptyDatabase();
  await greetWith({ database: url });
  const client = await connect(url);

  await client.query(`insert into perdure.migrations (id, name) values (9998, '9998_later')`);
  const greeting = await greetWith({ database: url });
  await client.query(`insert into perdure.migrations (id, name, is_breaking) values (9999, '9999_last', true)`);

  expect(greeting).toBe('Hello you');
  await perdureErrorOf(greetWith({ database: url }), 'SCHEMA_TOO_NEW');
});

test.each(['My "schema"; drop', "o'clock {x}", 'a$$b $& $1 \\n', 'schéma-プロ', 's'.repeat(63), 'é'.repeat(31)])(
  'the schema %j holds the tables, and notifications pass [168]',
  async (schema) => {
    const { url } = await emptyDatabase();
    const client = await connect(url);
    const worker = createEngine({
      database: url,
      schema,
      workflows: [greet],
      logger: silentLogger,
      pollInterval: '1m',
    });
    const starter = createEngine({ database: url, schema, logger: silentLogger, pollInterval: '1m' });
    cleanups.push(
      () => worker.close(),
      () => starter.close(),
    );
    await Promise.all([worker.launch(), starter.launch()]);

    const run = await starter.startWorkflow(greet, 'you');

    expect(await run.result()).toBe('Hello you');
    const { rows } = await client.query('select count(*)::int4 as tables from pg_tables where schemaname = $1', [
      schema,
    ]);
    expect(rows).toEqual([{ tables: printMigrations(schema).match(/^create table /gm)?.length }]);
  },
);

test('the printed migrations apply cleanly, twice as well, and are all that a launch needs [168]', async () => {
  const { url } = await emptyDatabase();
  const client = await connect(url);
  const script = printMigrations('my schema');

  await client.query(script);
  await client.query(script);

  expect(await greetWith({ database: url, schema: 'my schema', migrate: false })).toBe('Hello you');
});

test('a role that may not change the schema runs workflows once the migrations are applied [168]', async () => {
  const { url } = await emptyDatabase();
  const client = await connect(url);
  const role = `app_${process.pid}_${Math.floor(performance.now())}`;
  await client.query(`create role ${role} login; revoke create on schema public from public`);
  cleanups.push(() => client.query(`drop owned by ${role}; drop role ${role}`));
  const asRole = Object.assign(new URL(url), { username: role }).href;

  const refused = await perdureErrorOf(greetWith({ database: asRole }), 'SCHEMA_MISSING');
  await client.query(`${printMigrations('perdure')}; grant usage on schema perdure to ${role};
    grant select, insert, update, delete on all tables in schema perdure to ${role}`);

  expect(refused.message).toContain('perdure');
  expect(await greetWith({ database: asRole })).toBe('Hello you');
});

test('a role that owns the schema migrates it without the right to create schemas [168]', async () => {
  const { url } = await emptyDatabase();
  const client = await connect(url);
  const role = `owner_${process.pid}_${Math.floor(performance.now())}`;
  await client.query(`create role ${role} login; create schema perdure authorization ${role}`);
  cleanups.push(() => client.query(`drop owned by ${role}; drop role ${role}`));
  const asRole = Object.assign(new URL(url), { username: role }).href;

  expect(await greetWith({ database: asRole })).toBe('Hello you');
});

test('without leave to migrate, a launch on an empty database fails and creates nothing [168]', async () => {
  const { url } = await emptyDatabase();

  await perdureErrorOf(greetWith({ database: url, migrate: false }), 'SCHEMA_MISSING');

  const client = await connect(url);
  expect((await client.query(`select from pg_namespace where nspname = 'perdure'`)).rows).toEqual([]);
});

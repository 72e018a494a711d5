// Databases that cannot be worked with, at the launch.

import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startDurableCluster, type DurableCluster } from '@perdure/testing';
import pg from 'pg';
import { createEngine, runStep, silentLogger, workflow, type Engine, type EngineOptions } from '../src/index.js';
import { newestMigration } from '../src/store/migrate.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

const withParts = (
  url: string,
  parts: Partial<Record<'username' | 'password' | 'port' | 'pathname', string>>,
): string => Object.assign(new URL(url), parts).href;

const greet = workflow('greet', async (name: string) => runStep('greet', () => `Hello ${name}`));

describe('a database that is not there', () => {
  test('because nothing listens is DATABASE_UNREACHABLE, and names host, port and database', async () => {
    const engine = db.createEngine({ database: 'postgres://app:s3cret@127.0.0.1:1/shop' });

    const error = await perdureErrorOf(engine.launch(), 'DATABASE_UNREACHABLE');

    expect(error.message).toContain('Postgres at 127.0.0.1:1/shop cannot be reached (connect ECONNREFUSED');
    expect(`${error.stack} ${JSON.stringify(error)}`).not.toContain('s3cret');
    expect(error.isRetryable).toBe(true);
  });

  test('because nothing listens at any address of its host says so for each of them', async () => {
    const engine = db.createEngine({ database: 'postgres://app@localhost:1/shop' });

    const error = await perdureErrorOf(engine.launch(), 'DATABASE_UNREACHABLE');

    expect(error.details['reason']).toMatch(/^connect ECONNREFUSED \S+(; connect ECONNREFUSED \S+)*$/);
  });

  test('because its host has no address is DATABASE_UNREACHABLE', async () => {
    const engine = db.createEngine({ database: 'postgres://app@no-such-host.invalid/shop' });

    const error = await perdureErrorOf(engine.launch(), 'DATABASE_UNREACHABLE');

    expect(error.message).toContain('no-such-host.invalid:5432/shop');
  });

  test('because the server does not answer is DATABASE_UNREACHABLE in bounded time', async () => {
    const silent = createServer().listen({ port: 0, host: '127.0.0.1' });
    await once(silent, 'listening');
    const address = silent.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const impatient = { host: '127.0.0.1', port, database: 'shop', connectionTimeoutMillis: 200 };

    const engine = db.createEngine({ database: impatient });

    const error = await perdureErrorOf(engine.launch(), 'DATABASE_UNREACHABLE');
    expect(error.message).toContain(`127.0.0.1:${port}/shop`);
    silent.close();
  });

  test('because it does not exist is DATABASE_UNREACHABLE with the reason of the server', async () => {
    const engine = db.createEngine({ database: withParts(db.url, { pathname: '/nowhere' }) });

    const error = await perdureErrorOf(engine.launch(), 'DATABASE_UNREACHABLE');

    expect(error.details['reason']).toBe('database "nowhere" does not exist');
    expect(error.cause).toMatchObject({ code: '3D000' });
  });

  test('because the role does not exist is DATABASE_UNREACHABLE with the reason of the server', async () => {
    const engine = db.createEngine({ database: withParts(db.url, { username: 'nobody_at_all' }) });

    const error = await perdureErrorOf(engine.launch(), 'DATABASE_UNREACHABLE');

    expect(error.details['reason']).toBe('role "nobody_at_all" does not exist');
  });

  test('can be there at the next launch of the same engine', async () => {
    const name = `later_${db.url.slice(-12)}`;
    const engine = db.createEngine({ workflows: [greet], database: withParts(db.url, { pathname: name }) });
    await perdureErrorOf(engine.launch(), 'DATABASE_UNREACHABLE');
    await db.query(`create database ${name}`);

    await engine.launch();

    expect(await (await engine.startWorkflow(greet, 'Ada')).result()).toBe('Hello Ada');
    await engine.close();
    await db.query(`drop database ${name} with (force)`);
  });
});

describe('a database that is read-only', () => {
  test('is DATABASE_READ_ONLY, and can be launched on once it is not', async () => {
    const name = new URL(db.url).pathname.slice(1);
    await db.query(`alter database ${name} set default_transaction_read_only = on`);
    const engine = db.createEngine({ workflows: [greet], database: db.url });

    const error = await perdureErrorOf(engine.launch(), 'DATABASE_READ_ONLY');
    const admin = await db.connect();
    await admin.query('set default_transaction_read_only = off');
    await admin.query(`alter database ${name} reset default_transaction_read_only`);
    await engine.launch();

    expect(error.message).toContain(`/${name} is read-only`);
    expect(await (await engine.startWorkflow(greet, 'Ada')).result()).toBe('Hello Ada');
  });
});

describe('a schema newer than this release', () => {
  test('is SCHEMA_TOO_NEW if it says that older releases cannot work with it, and nothing is written', async () => {
    await db.query(`insert into perdure.migrations (id, name, is_breaking) values (9001, '9001_future', true)`);
    const engine = db.createEngine();

    const error = await perdureErrorOf(engine.launch(), 'SCHEMA_TOO_NEW');

    expect(error.details).toEqual({ schema: 'perdure', found: 9001, supported: newestMigration });
    expect(await db.query('select id from perdure.executors')).toEqual([]);
    await db.query('delete from perdure.migrations where id = 9001');
  });

  test('is worked with if it does not say so', async () => {
    await db.query(`insert into perdure.migrations (id, name, is_breaking) values (9002, '9002_future', false)`);
    const engine = await db.launchEngine({ workflows: [greet] });

    const run = await engine.startWorkflow(greet, 'Ada');

    expect(await run.result()).toBe('Hello Ada');
    await db.query('delete from perdure.migrations where id = 9002');
  });
});

test('a schema that is not there is SCHEMA_MISSING if migrations are switched off', async () => {
  const engine = db.createEngine({ schema: 'elsewhere', migrate: false });

  const error = await perdureErrorOf(engine.launch(), 'SCHEMA_MISSING');

  expect(error.message).toContain('the schema "elsewhere" is not ready');
  expect(await db.query(`select from pg_namespace where nspname = 'elsewhere'`)).toEqual([]);
});

describe('a server that asks for passwords', () => {
  let cluster: DurableCluster;

  const asUser = (password: string): string => withParts(cluster.url, { username: 'guarded', password });
  const launch = (options: EngineOptions): Promise<Engine> =>
    createEngine({ logger: silentLogger, workflows: [greet], ...options }).launch();

  beforeAll(async () => {
    cluster = await startDurableCluster();
    const admin = new pg.Client({ connectionString: cluster.url });
    await admin.connect();
    const { rows } = await admin.query<{ file: string }>(`select current_setting('hba_file') as file`);
    await admin.query(`create role guarded login superuser password 'right'`);
    await writeFile(rows[0]?.file ?? '', 'host all guarded all scram-sha-256\nhost all all all trust\n');
    await admin.query('select pg_reload_conf()');
    await admin.end();
  });
  afterAll(() => cluster.stop());

  test('refuses a wrong one: DATABASE_UNREACHABLE with its reason, and without the password', async () => {
    const error = await perdureErrorOf(launch({ database: asUser('wr0ng-0ne') }), 'DATABASE_UNREACHABLE');

    expect(error.details['reason']).toBe('password authentication failed for user "guarded"');
    expect(`${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`).not.toContain('wr0ng-0ne');
  });

  test('refuses none', async () => {
    const error = await perdureErrorOf(launch({ database: asUser('') }), 'DATABASE_UNREACHABLE');

    expect(error.message).toContain('password');
  });

  test('takes that of a pool, which the pool hides', async () => {
    const { hostname: host, port } = new URL(cluster.url);
    const pool = new pg.Pool({ host, port: Number(port), user: 'guarded', password: 'right', database: 'perdure' });
    const engine = createEngine({ logger: silentLogger, workflows: [greet], database: pool });

    await engine.launch();

    expect(await (await engine.startWorkflow(greet, 'Ada')).result()).toBe('Hello Ada');
    await engine.close();
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await pool.end();
  });

  test('that goes down is DATABASE_UNREACHABLE to whoever asks, until it is up again', async () => {
    const engine = await launch({ database: asUser('right') });
    await cluster.kill();

    const error = await perdureErrorOf(engine.runs.get('any'), 'DATABASE_UNREACHABLE');
    await cluster.restart();

    expect(error.httpStatus).toBe(503);
    expect(await engine.runs.get('any')).toBeUndefined();
    await engine.close();
  });

  test('that is down is DATABASE_UNREACHABLE, and the same engine launches once it is up', async () => {
    const engine = createEngine({ logger: silentLogger, workflows: [greet], database: asUser('right') });
    await cluster.kill();
    await perdureErrorOf(engine.launch(), 'DATABASE_UNREACHABLE');
    await cluster.restart();

    await engine.launch();

    expect(await (await engine.startWorkflow(greet, 'Ada')).result()).toBe('Hello Ada');
    await engine.close();
  });
});

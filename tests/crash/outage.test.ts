// The database is away for a while. Runs wait for it as long as it takes; callers from outside are told in time.

import { expect, test } from '@jest/globals';
import { waitFor, waitForBlockedBackend } from '@perdure/testing';
import { isPerdureError, runStep, sleep, workflow } from 'perdure';
import { useDurableDatabase } from './support/durable-database.js';

const db = useDurableDatabase();

test('in a long outage callers are told that nobody knows, and a parent goes on waiting for its child [166, 191]', async () => {
  const proxy = await db.startProxy();
  const child = workflow('patient child', () => runStep('work', () => 'done'));
  const parent = workflow('patient parent', () => child());
  const engine = await db.launchEngine({ database: proxy.url, workflows: [parent, child], lease: '1m' });
  const refused = proxy.refuseFrom('/patient child');
  const run = await engine.startWorkflow(parent);
  await refused;

  const askedAt = Date.now();
  const told: unknown[] = [];
  const ask = (): void => void engine.startWorkflow(child).catch((error: unknown) => told.push(error));
  ask();
  const asking = setInterval(ask, 500);
  await waitFor(() => told.length > 0, { what: 'a caller to be told', timeoutMs: 20_000 });
  clearInterval(asking);
  const waitedMs = Date.now() - askedAt;
  proxy.admit();

  expect(await run.result()).toBe('done');
  expect(isPerdureError(told[0], 'START_UNCONFIRMED')).toBe(true);
  expect(waitedMs).toBeLessThan(13_000);
});

test('a child that can no longer be started holds up no other run [9, 191]', async () => {
  const proxy = await db.startProxy();
  const child = workflow('late child', () => runStep('work', () => 'done'));
  const parent = workflow('cancelled parent', () => child());
  const engine = await db.launchEngine({ database: proxy.url, workflows: [parent, child], lease: '1m' });
  const manager = await db.launchEngine();
  const refused = proxy.refuseFrom('/late child');
  const run = await engine.startWorkflow(parent);
  await refused;

  await manager.runs.cancel(run.id);
  proxy.admit();
  const other = await engine.startWorkflow(child);

  expect(await other.result()).toBe('done');
});

test('a login that is refused for a while costs no run its place [166]', async () => {
  const role = 'perdure_app';
  await db.query(`create role ${role} login; grant usage on schema perdure to ${role};
    grant select, insert, update, delete on all tables in schema perdure to ${role}`);
  let finish = (): void => undefined;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const job = workflow('locked out', async () => {
    await runStep('first', () => finished);
    return runStep('second', () => 'done');
  });
  const database = Object.assign(new URL(db.url), { username: role }).href;
  const engine = await db.launchEngine({ database, workflows: [job], lease: '1m' });
  const run = await engine.startWorkflow(job);

  await db.query(`alter role ${role} nologin`);
  await db.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = $1`, [role]);
  finish();
  await new Promise((resolve) => setTimeout(resolve, 500)); // several attempts are refused
  await db.query(`alter role ${role} login`);

  expect(await run.result()).toBe('done');
  await engine.close();
  await db.query(`drop owned by ${role}; drop role ${role}`);
});

test('closing in an outage takes no longer than it may [170]', async () => {
  const proxy = await db.startProxy();
  const job = workflow('replayed', () => sleep(100));
  const engine = await db.launchEngine({ database: proxy.url, workflows: [job], parkAfter: 0 });
  const refused = proxy.refuseFrom('perdure_histories');
  await engine.startWorkflow(job);
  await refused;

  const askedAt = performance.now();
  await engine.close({ timeout: 200 });

  expect(performance.now() - askedAt).toBeLessThan(5_000);
});

test('a start that commits while its engine signs off is taken over by another [170, 191]', async () => {
  const job = workflow('straggler', () => runStep('work', () => 'done'));
  const closing = await db.launchEngine({ workflows: [job], lease: '1m' });
  const [client, observer] = [await db.connect(), await db.connect()];
  await client.query('begin');
  await client.query(
    `insert into perdure.runs (id, workflow, status, input) values ('taken', 'straggler', 'paused', '')`,
  );

  const unconfirmed = Promise.allSettled([
    closing.startWorkflow(job, undefined, { id: 'taken' }),
    closing.startWorkflow(job, undefined, { id: 'straggler' }),
  ]);
  await waitForBlockedBackend(observer, { statement: 'started as' });
  const closed = closing.close({ timeout: 0 });
  await waitForBlockedBackend(observer, { count: 2 });
  await client.query('rollback');
  await Promise.all([closed, unconfirmed]);
  const other = await db.launchEngine({ workflows: [job] });

  expect(await other.getHandle('straggler').result()).toBe('done');
});

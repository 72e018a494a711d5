// Runs that are started in a transaction of the application, as others see them: other processes, other transactions, other starts.

import { expect, test } from '@jest/globals';
import { waitFor, waitForBlockedBackend } from '@perdure/testing';
import type pg from 'pg';
import { workflow } from '../src/index.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const ship = workflow('ship', async (order: string) => `shipped ${order}`);

// The insert waits for a lock, and began long after the transaction that holds it.
const laterTry = `select from pg_stat_activity w join pg_stat_activity h on h.pid = any (pg_blocking_pids(w.pid))
   where w.query like '%started as (%' and w.query_start > h.xact_start + interval '1.5 s'`;

async function begun(isolation = 'read committed'): Promise<pg.Client> {
  const client = await db.connect();
  await client.query(`begin isolation level ${isolation}`);
  return client;
}

test('an id that was taken after the snapshot of the transaction is a serialization failure, for the caller to retry', async () => {
  const engine = await db.launchEngine({ workflows: [ship] });
  const client = await begun('repeatable read');
  await client.query('select 1');
  await engine.startWorkflow(ship, 'x', { id: 'taken-later' });

  const start = engine.startWorkflow(ship, 'x', { id: 'taken-later', transaction: client });

  await expect(start).rejects.toMatchObject({ code: '40001' });
});

test('another process runs it at once, without a poll', async () => {
  const quiet = db.mode === 'polling' ? {} : { pollInterval: '1 hour' };
  const api = await db.launchEngine({ ...quiet, workflows: [] });
  await db.launchEngine({ ...quiet, workflows: [ship] });
  const client = await begun();
  const run = await api.startWorkflow(ship, 'far', { transaction: client });

  await client.query('commit');

  expect(await run.result()).toBe('shipped far');
});

test('a run whose starter dies right after the commit is found by others [155]', async () => {
  const child = db.spawn('starter', { args: ['orphan'] });
  await child.line(/^committed$/);
  child.kill('SIGKILL');
  await child.exited;
  expect(await db.query("select status from perdure.runs where id = 'orphan'")).toEqual([{ status: 'queued' }]);

  const engine = await db.launchEngine({ workflows: [ship] });

  expect(await engine.getHandle('orphan', ship).result()).toBe('shipped orphan');
});

test('a start that is open holds up nobody else', async () => {
  const engine = await db.launchEngine({ workflows: [ship] });
  const client = await begun();
  await engine.startWorkflow(ship, 'open', { id: 'open', transaction: client });

  const run = await engine.startWorkflow(ship, 'other');

  expect(await run.result()).toBe('shipped other');
  await client.query('rollback');
});

test('a start of the same id outside of the transaction waits for its end, and holds up nothing else', async () => {
  const engine = await db.launchEngine({ workflows: [ship] });
  const client = await begun();
  await engine.startWorkflow(ship, 'inside', { id: 'held', transaction: client });

  const held = engine.startWorkflow(ship, 'outside', { id: 'held' });
  const others = await Promise.all([1, 2, 3].map((n) => engine.startWorkflow(ship, `other ${n}`, { id: `free-${n}` })));
  expect(await Promise.all(others.map((run) => run.result()))).toHaveLength(3);
  await client.query('rollback');

  const run = await held;
  expect(run.isNew).toBe(true);
  expect(await run.result()).toBe('shipped outside');
});

test.each([
  { end: 'commit', isNew: false, result: 'shipped inside' },
  { end: 'rollback', isNew: true, result: 'shipped outside' },
])(
  'a start of an id that another process holds in a transaction waits for its $end, and holds up nothing else',
  async ({ end, isNew, result }) => {
    const [there, here] = [await db.launchEngine({ workflows: [ship] }), await db.launchEngine({ workflows: [ship] })];
    const id = `contested-${end}`;
    const client = await begun();
    await there.startWorkflow(ship, 'inside', { id, transaction: client });

    const contested = here.startWorkflow(ship, 'outside', { id });
    await waitForBlockedBackend(await db.connect(), { statement: 'started as (' });
    const others = await Promise.all([1, 2, 3].map((n) => here.startWorkflow(ship, `other ${n}`)));
    expect(await Promise.all(others.map((run) => run.result()))).toHaveLength(3);
    await client.query(end);

    const run = await contested;
    expect(run.isNew).toBe(isNew);
    expect(await run.result()).toBe(result);
  },
);

test('a start that another process holds up for longer than a caller waits says so', async () => {
  const [there, here] = [await db.launchEngine({ workflows: [ship] }), await db.launchEngine({ workflows: [ship] })];
  const client = await begun();
  await there.startWorkflow(ship, 'inside', { id: 'held-for-long', transaction: client });

  const start = here.startWorkflow(ship, 'outside', { id: 'held-for-long' });

  const error = await perdureErrorOf(start, 'START_UNCONFIRMED');
  expect(error.message).toContain('a transaction that is still open holds its id or key');
  await client.query('rollback');
});

test('a start whose time is up while it waits for another process is cancelled as soon as it is there', async () => {
  const quick = { workflows: [ship], lease: '1 minute' } as const;
  const [there, here] = [await db.launchEngine(quick), await db.launchEngine(quick)];
  const client = await begun();
  await there.startWorkflow(ship, 'inside', { id: 'out-of-time', transaction: client });

  const late = here.startWorkflow(ship, 'outside', { id: 'out-of-time', timeout: '500ms' });
  await waitForBlockedBackend(await db.connect(), { statement: 'started as (' });
  await waitFor(() => db.query(laterTry), { what: 'a try after its time', until: (rows) => rows.length === 1 });
  await client.query('rollback');

  await perdureErrorOf((await late).result(), 'RUN_TIMED_OUT');
});

test('closing the engine ends the wait for a transaction of another process', async () => {
  const [there, here] = [await db.launchEngine({ workflows: [ship] }), await db.launchEngine({ workflows: [ship] })];
  const client = await begun();
  await there.startWorkflow(ship, 'inside', { id: 'held-for-ever', transaction: client });
  const held = perdureErrorOf(here.startWorkflow(ship, 'outside', { id: 'held-for-ever' }), 'START_UNCONFIRMED');
  await waitForBlockedBackend(await db.connect(), { statement: 'started as (' });

  await here.close();

  await held;
  await client.query('commit');
  expect(await there.getHandle('held-for-ever', ship).result()).toBe('shipped inside');
});

test('closing the engine ends the wait for a transaction', async () => {
  const engine = await db.launchEngine({ workflows: [ship] });
  const client = await begun();
  const run = await engine.startWorkflow(ship, 'x', { transaction: client });

  const result = perdureErrorOf(run.result(), 'ENGINE_CLOSED');
  await engine.close();

  await result;
});

test('two transactions that start the same id make one run: the second waits for the first [155]', async () => {
  const engine = await db.launchEngine({ workflows: [ship] });
  const [first, second] = [await begun(), await begun()];
  await engine.startWorkflow(ship, 'first', { id: 'raced', transaction: first });

  const start = engine.startWorkflow(ship, 'second', { id: 'raced', transaction: second });
  await waitFor(() => db.query("select from pg_stat_activity where wait_event = 'transactionid'"), {
    what: 'the second to wait',
    until: (rows) => rows.length === 1,
  });
  await first.query('commit');

  const run = await start;
  await second.query('commit');
  expect(run.isNew).toBe(false);
  expect(await run.result()).toBe('shipped first');
});

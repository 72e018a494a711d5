// Messages that are sent in a transaction of the application, and transactions that cannot take anything.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { pgSource, receive, topic, workflow, type DataSource } from '../src/index.js';
import { waitFor } from '@perdure/testing';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const approval = topic<string>('approval');
const approved = workflow('approved', async () => receive(approval));

const others: pg.Client[] = [];
let pool: pg.Pool;
let source: DataSource<pg.ClientBase>;
beforeAll(() => {
  pool = new pg.Pool({ connectionString: db.url });
  pool.on('error', () => undefined);
  source = pgSource<pg.ClientBase>(pool);
});
afterAll(() => Promise.all([pool.end(), ...others.map((client) => client.end())]));

async function begun(mode = ''): Promise<pg.Client> {
  const client = await db.connect();
  await client.query(`begin ${mode}`);
  return client;
}

const parked = (id: string): Promise<unknown> =>
  waitFor(() => db.query("select from perdure.runs where id = $1 and status = 'waiting'", [id]), {
    what: 'the run to be parked',
    until: (rows) => rows.length === 1,
  });

test('a message that is sent in a transaction arrives when it commits, also at a parked run [90]', async () => {
  const engine = await db.launchEngine({ workflows: [approved], parkAfter: '50ms' });
  const run = await engine.startWorkflow(approved, undefined, { id: 'waits' });
  await parked('waits');
  const client = await begun();

  await engine.send('waits', approval, 'yes', { transaction: client });
  const seenBefore = await db.query("select from perdure.messages where run_id = 'waits'");
  await client.query('commit');

  expect(seenBefore).toEqual([]);
  expect(await run.result()).toBe('yes');
  expect(await db.query('select from perdure.message_announcements')).toEqual([]);
});

test('a message that is sent in a transaction never was when it rolls back [90]', async () => {
  const engine = await db.launchEngine({ workflows: [approved] });
  const run = await engine.startWorkflow(approved);
  const client = await begun();

  await engine.send(run.id, approval, 'no', { transaction: client });
  await client.query('rollback');
  await engine.send(run.id, approval, 'yes');

  expect(await run.result()).toBe('yes');
});

test('a run and a message to it are made in one transaction [90, 155]', async () => {
  const engine = await db.launchEngine({ workflows: [approved] });
  const client = await begun();

  const run = await engine.startWorkflow(approved, undefined, { transaction: client });
  await engine.send(run.id, approval, 'at once', { transaction: client });
  await client.query('commit');

  expect(await run.result()).toBe('at once');
});

test('a message in an open transaction does not hold up the run that it is for', async () => {
  const engine = await db.launchEngine({ workflows: [approved] });
  const run = await engine.startWorkflow(approved);
  const client = await begun();
  await engine.send(run.id, approval, 'open', { transaction: client });

  await engine.send(run.id, approval, 'quick');

  expect(await run.result()).toBe('quick');
  await client.query('commit');
});

test('a key that another message has used is refused in a transaction as well', async () => {
  const engine = await db.launchEngine({ workflows: [approved] });
  const run = await engine.startWorkflow(approved);
  await engine.send(run.id, approval, 'first', { dedupKey: 'k', fingerprint: 'one' });
  const client = await begun();

  const other = engine.send(run.id, approval, 'second', { dedupKey: 'k', fingerprint: 'two', transaction: client });

  await expect(other).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
  await client.query('rollback');
});

test('a key that is used in two transactions at once is one message', async () => {
  const engine = await db.launchEngine({ workflows: [approved] });
  const run = await engine.startWorkflow(approved);
  const [first, second] = [await begun(), await begun()];
  await engine.send(run.id, approval, 'first', { dedupKey: 'k', transaction: first });

  const sent = engine.send(run.id, approval, 'second', { dedupKey: 'k', transaction: second });
  const sentOutside = engine.send(run.id, approval, 'third', { dedupKey: 'k' });
  await waitFor(() => db.query("select from pg_stat_activity where wait_event = 'transactionid'"), {
    what: 'the others to wait',
    until: (rows) => rows.length === 2,
  });
  await first.query('commit');
  await Promise.all([sent, sentOutside]);
  await second.query('commit');

  expect(await run.result()).toBe('first');
  expect(await db.query('select from perdure.messages where run_id = $1', [run.id])).toHaveLength(1);
});

test('a message whose sender died before it was announced is announced by others', async () => {
  const engine = await db.launchEngine({ workflows: [approved], parkAfter: '50ms', pollInterval: '100ms' });
  const run = await engine.startWorkflow(approved, undefined, { id: 'unannounced' });
  await parked('unannounced');

  await db.query("insert into perdure.messages (run_id, topic, body) values ('unannounced', 'approval', '\"late\"')");
  await db.query("insert into perdure.message_announcements (run_id, topic) values ('unannounced', 'approval')");

  expect(await run.result()).toBe('late');
});

test('messages to unknown and finished runs are refused, and the transaction goes on', async () => {
  const engine = await db.launchEngine({ workflows: [approved] });
  const run = await engine.startWorkflow(approved);
  await engine.send(run.id, approval, 'done');
  await run.result();
  const client = await begun();

  await perdureErrorOf(engine.send('nobody', approval, 'x', { transaction: client }), 'RUN_NOT_FOUND');
  await perdureErrorOf(engine.send(run.id, approval, 'x', { transaction: client }), 'RUN_STATE_CONFLICT');

  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
});

test.each([
  ['a client that has not begun', async () => db.connect(), /has not been begun, or it is a pool/],
  ['a pool', async () => pool, /has not been begun, or it is a pool/],
  ['a data source of a client that has not begun', async () => source.use(await db.connect()), /has not been begun/],
  ['a transaction that has failed', async () => failed(), /one of its statements has failed/],
  ['a read-only transaction', async () => begun('read only'), /it is read-only/],
  ['a client that is closed', async () => closed(), /closed/i],
  ['a client of another library', async () => ({ query: async () => [] }) as unknown as pg.Client, /another library/],
  ['a function of another library', async () => (() => ({})) as unknown as pg.Client, /another library/],
  ['a database without the schema', async () => elsewhere(), /its database has no schema "perdure"/],
] as const)('%s is refused, and nothing is written', async (_, open, reason) => {
  const engine = await db.launchEngine({ workflows: [approved] });
  const transaction = await open();

  const error = await perdureErrorOf(
    engine.startWorkflow(approved, undefined, { id: 'refused', transaction }),
    'TRANSACTION_UNUSABLE',
  );

  expect(error.message).toMatch(reason);
  expect(error.cause).toBeInstanceOf(Object);
  expect(await db.query("select from perdure.runs where id = 'refused'")).toEqual([]);
});

test.each([{}, 'begin', 7, null])('%p is no transaction', async (given) => {
  const engine = await db.launchEngine({ workflows: [approved] });

  await perdureErrorOf(
    engine.startWorkflow(approved, undefined, { transaction: given as unknown as pg.Client }),
    'OPTION_INVALID',
  );
});

test('workflow code cannot use a transaction, because it would do so on every replay', async () => {
  const wrong = workflow('wrong', async () => {
    const client = await pool.connect();
    try {
      await engine.startWorkflow(approved, undefined, { transaction: client });
    } finally {
      client.release();
    }
  });
  const engine = await db.launchEngine({ workflows: [wrong] });

  const run = await engine.startWorkflow(wrong);

  await expect(run.result()).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    message: expect.stringMatching(/replay/),
  });
});

async function failed(): Promise<pg.Client> {
  const client = await begun();
  await client.query('select 1 / 0').catch(() => undefined);
  return client;
}

async function closed(): Promise<pg.Client> {
  const client = await begun();
  await client.end();
  return client;
}

async function elsewhere(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: db.url.replace(/\/[^/?]+(\?|$)/, '/postgres$1') });
  await client.connect();
  await client.query('begin');
  others.push(client);
  return client;
}

// Runs that are started in a transaction of the application: they exist exactly if it commits.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { contract, pgSource, queue, runTransaction, step, workflow, type DataSource } from '../src/index.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const ship = workflow('ship', async (order: string) => `shipped ${order}`);
const limited = queue('limited', { concurrency: 1 });

let pool: pg.Pool;
let source: DataSource<pg.PoolClient>;
beforeAll(async () => {
  pool = new pg.Pool({ connectionString: db.url });
  pool.on('error', () => undefined); // the database is dropped while connections of it are idle
  source = pgSource<pg.PoolClient>(pool);
  await db.query('create table orders (id text primary key)');
});
afterAll(() => pool.end());

async function begun(isolation = 'read committed'): Promise<pg.Client> {
  const client = await db.connect();
  await client.query(`begin isolation level ${isolation}`);
  return client;
}

const countRuns = async (id: string): Promise<number> =>
  (await db.query('select from perdure.runs where id = $1', [id])).length;
const countOrders = async (id: string): Promise<number> =>
  (await db.query('select from orders where id = $1', [id])).length;

test('a run that is started in a transaction is there when it commits, not before [155]', async () => {
  const engine = await db.launchEngine({ workflows: [ship] });
  const client = await begun();
  await client.query("insert into orders values ('commits')");

  const run = await engine.startWorkflow(ship, 'commits', { id: 'commits', transaction: client });
  const seenBefore = await countRuns('commits');
  await client.query('commit');

  expect(seenBefore).toBe(0);
  expect(run.isNew).toBe(true);
  expect(await run.result()).toBe('shipped commits');
  expect(await countOrders('commits')).toBe(1);
});

test('a run that is started in a transaction never was when it rolls back, and its handle says so [155]', async () => {
  const engine = await db.launchEngine({ workflows: [ship] });
  const client = await begun();
  await client.query("insert into orders values ('rolls-back')");

  const run = await engine.startWorkflow(ship, 'rolls-back', { id: 'rolls-back', transaction: client });
  const result = perdureErrorOf(run.result(), 'RUN_NOT_FOUND');
  await client.query('rollback');

  expect((await result).cause).toMatchObject({ message: 'the transaction that started it was rolled back' });
  expect(await countRuns('rolls-back')).toBe(0);
  expect(await countOrders('rolls-back')).toBe(0);
});

test('a start that a savepoint has rolled back is no run, though its transaction commits', async () => {
  const engine = await db.launchEngine({ workflows: [ship] });
  const client = await begun();
  await client.query('savepoint before');
  const run = await engine.startWorkflow(ship, 'x', { transaction: client });
  await client.query('rollback to savepoint before');

  await client.query('commit');

  await perdureErrorOf(run.result(), 'RUN_NOT_FOUND');
});

test('whoever awaits a result before the commit waits, and may stop waiting', async () => {
  const engine = await db.launchEngine({ workflows: [ship] });
  const client = await begun();
  const run = await engine.startWorkflow(ship, 'x', { transaction: client });

  const early = run.result();
  await expect(run.result({ signal: AbortSignal.timeout(50) })).rejects.toMatchObject({ name: 'TimeoutError' });
  await client.query('commit');

  expect(await early).toBe('shipped x');
});

test('the same id in one transaction and after it is the same run [155]', async () => {
  const engine = await db.launchEngine({ workflows: [ship] });
  const client = await begun();

  const first = await engine.startWorkflow(ship, 'a', { id: 'twice', transaction: client });
  const second = await engine.startWorkflow(ship, 'b', { id: 'twice', transaction: client });
  await client.query('commit');
  await client.query('begin');
  const third = await engine.startWorkflow(ship, 'c', { id: 'twice', transaction: client });
  await client.query('commit');

  expect([first.isNew, second.isNew, third.isNew]).toEqual([true, false, false]);
  expect(await Promise.all([first.result(), second.result(), third.result()])).toEqual(Array(3).fill('shipped a'));
});

test('a refused start leaves the transaction usable', async () => {
  const other = contract<string, void>('other');
  const engine = await db.launchEngine({ workflows: [ship] });
  await (await engine.startWorkflow(ship, 'x', { id: 'taken' })).result();
  const client = await begun();

  const same = { id: 'taken', transaction: client };
  await perdureErrorOf(engine.startWorkflow(other, 'x', same), 'RUN_ID_CONFLICT');
  await perdureErrorOf(engine.startWorkflow(ship, 'x', { ...same, onDuplicate: 'reject' }), 'RUN_EXISTS');
  await perdureErrorOf(engine.startWorkflow(ship, 'x', { queue: 'nowhere', transaction: client }), 'QUEUE_UNKNOWN');
  const run = await engine.startWorkflow(ship, 'y', { transaction: client });
  await client.query('commit');

  expect(await run.result()).toBe('shipped y');
});

test('a dedup key holds in and across transactions', async () => {
  const engine = await db.launchEngine({ queues: [limited] });
  const client = await begun();
  const place = { queue: limited, dedupKey: 'one', transaction: client };

  const first = await engine.startWorkflow(ship, 'a', place);
  const second = await engine.startWorkflow(ship, 'b', place);
  await perdureErrorOf(engine.startWorkflow(ship, 'c', { ...place, onDuplicate: 'reject' }), 'DEDUP_CONFLICT');
  await client.query('commit');

  expect(second).toMatchObject({ id: first.id, isNew: false });
});

test('every option of a start means in a transaction what it means outside of one', async () => {
  const slow = workflow('slow', async (input: string) => input, { timeout: '1 hour' });
  const engine = await db.launchEngine({ queues: [limited] });
  const client = await begun();
  const options = {
    queue: limited,
    partitionKey: 'k',
    priority: 7,
    delay: '2 hours',
    timeout: '3 hours',
    attributes: { a: 1 },
  } as const;

  await engine.startWorkflow(slow, 'x', { ...options, id: 'like-1' });
  await engine.startWorkflow(slow, 'x', { ...options, id: 'like-2', transaction: client });
  await engine.startWorkflow(slow, 'x', { delay: '1 day', timeout: null, id: 'like-3' });
  await engine.startWorkflow(slow, 'x', { delay: '1 day', timeout: null, id: 'like-4', transaction: client });
  await client.query('commit');

  const rows = await db.query<Record<string, unknown>>(
    `select (to_jsonb(r) - '{id,created_at,queue_position}'::text[]) || jsonb_build_object('due_at', round(extract(epoch from due_at - created_at)))
     as facts from perdure.runs r where id like 'like-%' order by id`,
  );
  expect(rows[1]).toEqual(rows[0]);
  expect(rows[3]).toEqual(rows[2]);
});

test('an id that is twice in one bulk is new once', async () => {
  const engine = await db.launchEngine({ workflows: [ship] });
  const client = await begun();
  const twice = [
    { id: 'twice in one', input: 'a' },
    { id: 'twice in one', input: 'b' },
  ];

  const runs = await engine.startWorkflows(ship, twice, { transaction: client });
  await client.query('commit');

  expect(runs.map(({ isNew }) => isNew)).toEqual([true, false]);
  expect(await runs[1]?.result()).toBe('shipped a');
});

test('many runs are started in one transaction, in their order', async () => {
  const engine = await db.launchEngine({ queues: [limited], workflows: [ship] });
  const client = await begun();
  const starts = Array.from({ length: 1_001 }, (_, index) => ({
    input: `${index}`,
    queue: limited,
    id: `many-${index}`,
  }));

  const runs = await engine.startWorkflows(ship, [...starts, { input: 'again', queue: limited, id: 'many-0' }], {
    transaction: client,
  });
  const seenBefore = await countRuns('many-1000');
  await client.query('commit');

  expect(seenBefore).toBe(0);
  expect(runs.map(({ id }) => id)).toEqual([...starts.map(({ id }) => id), 'many-0']);
  const inLine = await db.query<{ id: string }>(
    "select id from perdure.runs where id like 'many-%' order by queue_position",
  );
  expect(inLine.map(({ id }) => id)).toEqual(starts.map(({ id }) => id));
  await client.query(
    "update perdure.runs set status = 'cancelled', finished_at = now(), executor = null where id like 'many-%'",
  );
});

test('a step is started in a transaction as well', async () => {
  const mail = step('mail', async (to: string) => `mailed ${to}`);
  const engine = await db.launchEngine({ steps: [mail] });
  const client = await begun();

  const run = await engine.startStep(mail, ['ada'], { transaction: client });
  await client.query('commit');

  expect(await run.result()).toBe('mailed ada');
});

test.each(['repeatable read', 'serializable'])('a transaction that is %s starts runs', async (isolation) => {
  const engine = await db.launchEngine({ workflows: [ship] });
  const client = await begun(isolation);
  await client.query('select from orders');

  const run = await engine.startWorkflow(ship, isolation, { transaction: client });
  await client.query('commit');

  expect(await run.result()).toBe(`shipped ${isolation}`);
});

test('a step of a run and the start of another commit together, once [155, 160]', async () => {
  let attempts = 0;
  const order = workflow('order', async (id: string) =>
    runTransaction('order', source, async (client) => {
      attempts += 1;
      await client.query('insert into orders values ($1)', [id]);
      const run = await engine.startWorkflow(ship, id, { transaction: source.use(client) });
      if (attempts === 1) throw Object.assign(new Error('conflict'), { code: '40001' });
      return run.id;
    }),
  );
  const engine = await db.launchEngine({ workflows: [order, ship] });

  const id = await (await engine.startWorkflow(order, 'together')).result();

  expect(await engine.getHandle(id, ship).result()).toBe('shipped together');
  expect(await countOrders('together')).toBe(1);
  expect(await db.query("select from perdure.runs where workflow = 'ship' and input = '\"together\"'")).toHaveLength(1);
});

test('many starts may have no timeout, though their workflow has one', async () => {
  const slow = workflow('slow', async (input: string) => input, { timeout: '1 hour' });
  const engine = await db.launchEngine();

  const [run] = await engine.startWorkflows(slow, [{ input: 'x', timeout: null, delay: '1 day' }]);

  expect(await db.query('select timeout_ms from perdure.runs where id = $1', [run?.id])).toEqual([
    { timeout_ms: null },
  ]);
});

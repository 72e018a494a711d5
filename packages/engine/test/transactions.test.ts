// Transactional steps: their writes and the fact that they are done commit together.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import {
  pgSource,
  printTransactionSchema,
  receive,
  runTransaction,
  topic,
  workflow,
  type DataSource,
} from '../src/index.js';
import { waitFor } from '@perdure/testing';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const go = topic<null>('go');

let pool: pg.Pool;
let ledger: DataSource<pg.PoolClient>;
beforeAll(async () => {
  pool = new pg.Pool({ connectionString: db.url });
  pool.on('error', () => undefined); // the database is dropped while connections of it are idle
  ledger = pgSource<pg.PoolClient>(pool);
  await db.query('create table payments (id serial primary key, run_id text not null)');
});
afterAll(() => pool.end());

const pay = (id: string): Promise<number> =>
  runTransaction('pay', ledger, async (client) => {
    const { rows } = await client.query<{ id: number }>('insert into payments (run_id) values ($1) returning id', [id]);
    return rows[0]?.id ?? 0;
  });
const paying = workflow('paying', pay);
const payments = (id: string): Promise<unknown[]> => db.query('select id from payments where run_id = $1', [id]);

test('the writes of a transaction and its result are there together [160]', async () => {
  const engine = await db.launchEngine({ workflows: [paying] });

  const run = await engine.startWorkflow(paying, 'pays-once', { id: 'pays-once' });

  const paid = await run.result();
  expect(await payments('pays-once')).toEqual([{ id: paid }]);
  expect(await engine.runs.steps(run.id)).toMatchObject([{ kind: 'transaction', name: 'pay' }]);
});

test('a transaction that has committed before its process died does not happen again [160]', async () => {
  const child = db.spawn('paying', { args: ['pays-and-dies'], crashAt: 'transaction:pay' });
  await child.exited;
  expect(await payments('pays-and-dies')).toHaveLength(1);

  const engine = await db.launchEngine({ workflows: [paying] });

  const paid = await engine.getHandle('pays-and-dies').result();
  expect(await payments('pays-and-dies')).toEqual([{ id: paid }]);
});

test('what a transaction throws rolls back its writes, is recorded, and reaches the caller [161]', async () => {
  let attempts = 0;
  const failing = workflow('failing', () =>
    runTransaction('fail', ledger, async (client) => {
      attempts += 1;
      await client.query("insert into payments (run_id) values ('rolled-back')");
      throw new RangeError('no');
    }),
  );
  const engine = await db.launchEngine({ workflows: [failing] });

  const run = await engine.startWorkflow(failing);

  await expect(run.result()).rejects.toMatchObject({ name: 'RangeError', message: 'no' });
  expect(await payments('rolled-back')).toEqual([]);
  expect(attempts).toBe(1);
});

test('serialization failures are tried again [162]', async () => {
  await db.query('create table counters (id int primary key, n int not null)');
  await db.query('insert into counters values (1, 0)');
  const counting = workflow('counting', () =>
    runTransaction(
      'count',
      ledger,
      async (client) => {
        const { rows } = await client.query<{ n: number }>('select n from counters where id = 1');
        await client.query('update counters set n = $1 where id = 1', [(rows[0]?.n ?? 0) + 1]);
      },
      { isolation: 'serializable' },
    ),
  );
  const engine = await db.launchEngine({ workflows: [counting] });

  const runs = await Promise.all(Array.from({ length: 8 }, () => engine.startWorkflow(counting)));
  await Promise.all(runs.map((run) => run.result()));

  expect(await db.query('select n from counters')).toEqual([{ n: 8 }]);
});

test('a read-only transaction writes nothing [163]', async () => {
  const reading = workflow('reading', () =>
    runTransaction('read', ledger, async (client) => (await client.query<{ one: number }>('select 1 as one')).rows, {
      readOnly: true,
    }),
  );
  const engine = await db.launchEngine({ workflows: [reading] });

  const run = await engine.startWorkflow(reading);

  expect(await run.result()).toEqual([{ one: 1 }]);
  expect(await db.query('select from perdure.transaction_results where run_id = $1', [run.id])).toEqual([]);
});

test('a transaction of an owner that has lost the run is rolled back [164]', async () => {
  let isFirst = true;
  const fenced = workflow('fenced-payment', async () => {
    await receive(go);
    return runTransaction('pay', ledger, async (client) => {
      await client.query("insert into payments (run_id) values ('fenced-payment')");
      if (isFirst) await db.query("update perdure.runs set epoch = epoch + 1 where id = 'fenced-payment'");
      isFirst = false;
    });
  });
  const engine = await db.launchEngine({ workflows: [fenced] });
  const run = await engine.startWorkflow(fenced, undefined, { id: 'fenced-payment' });
  await engine.send(run.id, go, null);

  await waitFor(async () => !isFirst, { what: 'the first attempt', until: (isOver) => isOver });
  await db.query(
    "update perdure.runs set status = 'waiting', executor = null, due_at = now() where id = 'fenced-payment'",
  );

  await run.result();
  expect(await payments('fenced-payment')).toHaveLength(1);
});

test('in a database of its own, a transaction happens once as well [160]', async () => {
  await db.query('create schema elsewhere');
  for (const sql of printTransactionSchema('elsewhere').split(';')) if (sql.trim() !== '') await db.query(sql);
  const source = pgSource<pg.PoolClient>(pool, { isEngineDatabase: false, schema: 'elsewhere' });
  const remote = workflow('remote', (id: string) =>
    runTransaction('pay', source, (client) =>
      client.query('insert into payments (run_id) values ($1)', [id]).then(() => id),
    ),
  );
  const engine = await db.launchEngine({ workflows: [remote] });

  const run = await engine.startWorkflow(remote, 'remote-1', { id: 'remote-1' });

  expect(await run.result()).toBe('remote-1');
  expect(await db.query("select output from elsewhere.transaction_results where run_id = 'remote-1'")).toEqual([
    { output: '"remote-1"' },
  ]);
});

test('two transactions of one name at once are two steps, each of them once [160]', async () => {
  const twice = workflow('twice', async (id: string) => Promise.all([pay(id), pay(id)]));
  const engine = await db.launchEngine({ workflows: [twice] });

  const run = await engine.startWorkflow(twice, 'pays-twice');

  const paid = await run.result();
  expect(await payments('pays-twice')).toHaveLength(2);
  expect(new Set(paid).size).toBe(2);
  expect(new Set((await engine.runs.steps(run.id)).map(({ occurrence }) => occurrence))).toEqual(new Set([1, 2]));
});

test('an unknown isolation is refused before anything happens', async () => {
  const wrong = workflow('wrong', () =>
    runTransaction('x', ledger, async () => 1, { isolation: 'chaos' as 'serializable' }),
  );
  const engine = await db.launchEngine({ workflows: [wrong] });

  const run = await engine.startWorkflow(wrong);

  await expect(run.result()).rejects.toMatchObject({ code: 'OPTION_INVALID' });
});

test("closing the engine leaves the caller's pool alone [165]", async () => {
  const engine = await db.launchEngine({ workflows: [paying] });

  await engine.close();

  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
});

test('a transaction that has committed is done, also if the answer to its commit is lost [160]', async () => {
  let losses = 0;
  const flaky: DataSource<pg.PoolClient> = {
    ...ledger,
    transaction: async (options, work) => {
      const result = await ledger.transaction(options, work);
      if (losses++ === 0) throw new Error('Connection terminated unexpectedly');
      return result;
    },
  };
  const unsure = workflow('unsure', (id: string) =>
    runTransaction('pay', flaky, (client) =>
      client.query('insert into payments (run_id) values ($1)', [id]).then(() => 'paid'),
    ),
  );
  const engine = await db.launchEngine({ workflows: [unsure] });

  const run = await engine.startWorkflow(unsure, 'pays-unsure');

  expect(await run.result()).toBe('paid');
  expect(await payments('pays-unsure')).toHaveLength(1);
});

test('a transaction that has not committed happens again, if the answer to its commit is lost [160]', async () => {
  let losses = 0;
  const cut: DataSource<pg.PoolClient> = {
    ...ledger,
    transaction: (options, work) =>
      ledger.transaction(options, async (client) => {
        const result = await work(client);
        if (losses++ === 0) throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
        return result;
      }),
  };
  const unlucky = workflow('unlucky', (id: string) =>
    runTransaction('pay', cut, (client) =>
      client.query('insert into payments (run_id) values ($1)', [id]).then(() => 'paid'),
    ),
  );
  const engine = await db.launchEngine({ workflows: [unlucky] });

  const run = await engine.startWorkflow(unlucky, 'pays-unlucky');

  expect(await run.result()).toBe('paid');
  expect(await payments('pays-unlucky')).toHaveLength(1);
});

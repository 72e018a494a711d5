// What transactional steps refuse, and that nothing of it is written.

import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { pgSource, runStep, runTransaction, workflow, type DataSource, type Engine } from '../src/index.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

let pool: pg.Pool;
let ledger: DataSource<pg.PoolClient>;
let engine: Engine;
beforeAll(async () => {
  pool = new pg.Pool({ connectionString: db.url });
  pool.on('error', () => undefined); // the database is dropped while connections of it are idle
  ledger = pgSource<pg.PoolClient>(pool);
  await db.query('create table payments (id serial primary key, cents int not null)');
});
beforeEach(async () => {
  await db.query('truncate payments');
  engine = await db.launchEngine();
});
afterAll(() => pool.end());

const pay = (name: string, cents: number, source = ledger): Promise<number> =>
  runTransaction(name, source, async (client) => {
    await client.query('insert into payments (cents) values ($1)', [cents]);
    return cents;
  });
const payments = async (): Promise<number[]> =>
  (await db.query<{ cents: number }>('select cents from payments order by cents')).map(({ cents }) => cents);

async function outcomeOf(code: () => Promise<unknown>): Promise<unknown> {
  const attempt = workflow(`attempt ${Math.random()}`, code);
  engine.register(attempt);
  return (await engine.startWorkflow(attempt)).result();
}

test('two transactions of one name are two steps, one after the other and at the same time', async () => {
  const result = await outcomeOf(async () => [
    await pay('pay', 1),
    await pay('pay', 2),
    ...(await Promise.all([pay('pay', 3), pay('pay', 4)])),
  ]);

  expect(result).toEqual([1, 2, 3, 4]);
  expect(await payments()).toEqual([1, 2, 3, 4]);
});

test.each([
  ['a pool', () => pool],
  ['nothing', () => undefined],
  ['null', () => null],
])('%s is taken for no data source', async (_, source) => {
  const error = await perdureErrorOf(
    outcomeOf(() => runTransaction('pay', source() as never, async () => 1)),
    'OPTION_INVALID',
  );

  expect(error.details['option']).toBe('source');
  expect(await payments()).toEqual([]);
});

test.each([
  ['an empty name', () => pay('', 1), 'NAME_INVALID'],
  ['a place inside of a step', () => runStep('outer', () => pay('pay', 1)), 'IN_STEP'],
  ['a result that cannot be stored', () => payAndReturn(() => 1), 'UNSERIALIZABLE'],
  ['a result that is too large', () => payAndReturn('x'.repeat(11 * 1024 * 1024)), 'PAYLOAD_TOO_LARGE'],
] as const)('a transaction with %s is refused, and writes nothing', async (_, code, expected) => {
  await perdureErrorOf(outcomeOf(code), expected);

  expect(await payments()).toEqual([]);
});

test('a transaction outside of a run is refused, and writes nothing', async () => {
  await perdureErrorOf(pay('pay', 1), 'NOT_IN_RUN');

  expect(await payments()).toEqual([]);
});

function payAndReturn(value: unknown): Promise<unknown> {
  return runTransaction('pay', ledger, async (client) => {
    await client.query('insert into payments (cents) values (1)');
    return value;
  });
}

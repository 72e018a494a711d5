// The judge of the story finds what should not have happened.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '@perdure/testing';
import { Client } from 'pg';
import { isRight, Judge } from '../demo/judge.js';
import { tables } from '../src/database/tables.js';

let database: TestDatabase;
let client: Client;
let judge: Judge;

beforeAll(async () => {
  database = await createTestDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query(tables);
  judge = new Judge(database.url);
});

afterAll(async () => {
  await judge.close();
  await client.end();
  await database.drop();
});

const cases = [
  ['charged and shipped once', 'shipped', 1, 1, true],
  ['charged twice', 'shipped', 2, 1, false],
  ['shipped twice', 'shipped', 1, 2, false],
  ['shipped and never charged', 'shipped', 0, 1, false],
  ['cancelled and charged', 'cancelled', 1, 0, false],
  ['cancelled and not charged', 'cancelled', 0, 0, true],
  ['never finished', 'placed', 1, 0, false],
] as const;

test.each(cases)('an order that is %s', async (id, status, charges, parcels, expected) => {
  await client.query(`insert into shop.orders values ($1, 'ada', 'ada@example.com', 'lamp', 1, 8980, $2)`, [
    id,
    status,
  ]);
  for (let number = 0; number < charges; number += 1)
    await client.query(
      'insert into bank.charges (idempotency_key, reference, cents, asked_by) values ($1, $2, 8980, $3)',
      [`${id} ${number}`, id, [1]],
    );
  for (let number = 0; number < parcels; number += 1)
    await client.query('insert into shop.parcels (order_id, packed_by) values ($1, 1)', [id]);

  const verdict = await judge.findVerdict(id);

  expect(verdict).toMatchObject({ status, charges, parcels });
  expect(verdict !== undefined && isRight(verdict)).toBe(expected);
});

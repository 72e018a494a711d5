// What a data source says of a library that is connected to another database than Postgres.

import { expect, test } from '@jest/globals';
import { topic, type RawQuery } from 'perdure';
import { drizzleSource } from '../src/drizzle.js';
import { knexSource } from '../src/knex.js';
import { typeOrmSource } from '../src/typeorm.js';
import { useSourceDatabase } from './support/database.js';

const db = useSourceDatabase();
const affected = { affectedRows: 1 };
const never = async (): Promise<never> => {
  throw new Error('no transaction of this test is begun');
};

const knexQuery = knexSource({ transaction: never }).use({ raw: async () => affected });
const queries: Readonly<Record<string, RawQuery>> = {
  Drizzle: drizzleSource({ transaction: never }).use({ execute: async () => affected }),
  Knex: knexQuery,
  TypeORM: typeOrmSource({ transaction: never }).use({ query: async () => affected }),
};

test.each(Object.entries(queries))('%s refuses an answer without rows', async (library, query) => {
  await expect(query('select 1', [])).rejects.toMatchObject({
    code: 'TRANSACTION_UNUSABLE',
    details: { reason: `${library} answered a statement without rows, so its client is not one of Postgres` },
  });
});

test('a message in a transaction of such a client fails with that reason alone', async () => {
  const engine = await db.launchEngine({ workflows: [] });

  const sent = engine.send('run', topic<null>('topic'), null, { transaction: knexQuery });

  await expect(sent).rejects.toThrow(
    /^TRANSACTION_UNUSABLE: the given transaction cannot be written in: Knex answered/,
  );
});

test('a misspelt option is refused, where another schema or database would be taken', () => {
  const options = { isEngineDb: false } as never;

  expect(() => knexSource({ transaction: never }, options)).toThrow(
    /OPTION_INVALID: option isEngineDb .*no such option/,
  );
});

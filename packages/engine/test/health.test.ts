// What an engine tells of its health.

import { expect, test } from '@jest/globals';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

test('health tells of the database, the executor, and runs that nobody can claim', async () => {
  const engine = await db.launchEngine({ lease: '3s' });

  const health = await engine.health();

  expect(health).toMatchObject({
    database: 'up',
    error: undefined,
    schema: { name: 'perdure', migration: health.schema.newestKnown },
    executor: { leaseMs: 3_000, liveRuns: 0, isDraining: false },
    stranded: [],
  });
  expect(health.executor.heartbeatAgeMs).toBeLessThan(3_000);
});

test('health tells that the database is down instead of throwing', async () => {
  const engine = await db.launchEngine();
  await db.query('alter table perdure.migrations rename to migrations_away');

  const health = await engine.health();
  await db.query('alter table perdure.migrations_away rename to migrations');

  expect(health).toMatchObject({ database: 'down', error: { code: '42P01' }, schema: { migration: undefined } });
});

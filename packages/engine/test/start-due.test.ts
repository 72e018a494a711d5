// When a run is due that nobody has begun: the clock of its process may be ahead of the database's.

import { expect, test } from '@jest/globals';
import { commitBatch, type StartRow } from '../src/store/batch.js';
import { Database } from '../src/store/database.js';
import { insertExecutor } from '../src/store/executors.js';
import { newExecutorId, newRunId } from '../src/values/ids.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const place = { queue: 'line', partitionKey: '', priority: 0, dedupKey: undefined };

test.each<[string, StartRow['place']]>([
  ['that nobody has begun', undefined],
  ['with a delay in a queue', place],
])('a run %s, due at once, is due by the clock of the database', async (_, placed) => {
  const timeouts = { connectTimeoutMs: 10_000, silenceMs: 30_000, vitalSilenceMs: 6_000 };
  const database = await Database.open({ connection: db.url, schema: 'perdure', poolSize: 1, ...timeouts });
  const [executor, id] = [newExecutorId(), newRunId()];
  await insertExecutor(database, {
    id: executor,
    host: 'here',
    pid: 1,
    leaseMs: 60_000,
    workflows: [],
    queues: undefined,
  });
  const aheadMs = Date.now() + 60_000;
  const start: StartRow = {
    id,
    workflow: 'any',
    version: '',
    status: 'queued',
    isOwned: false,
    dueAtMs: aheadMs,
    place: placed,
    idempotency: undefined,
    input: 'null',
    output: undefined,
    error: undefined,
    timeoutMs: undefined,
    deadlineAtMs: undefined,
    parent: undefined,
    attributes: undefined,
    createdAtMs: aheadMs,
    finishedAtMs: undefined,
  };
  const later: StartRow = { ...start, id: newRunId(), dueAtMs: aheadMs + 1_000 };

  await commitBatch(database, executor, { starts: [start, later], checkpoints: [], outcomes: [], publications: {} });
  await database.close();

  expect(await db.query('select id from perdure.runs where due_at <= now() and executor is null')).toEqual([{ id }]);
  await db.query('truncate perdure.runs');
});

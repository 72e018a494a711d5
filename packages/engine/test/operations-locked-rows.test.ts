// What happens when somebody holds the row of a run at the wrong moment. Polling is so slow here that it cannot help:
// what is overlooked stays overlooked for longer than a test may take.

import { expect, test } from '@jest/globals';
import { waitFor, waitForBlockedBackend } from '@perdure/testing';
import { workflow } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const slowPolls = { pollInterval: '5m', lease: '10s' } as const;
const greet = workflow('greet', async () => 'hello');

test('a run whose row was locked when it was to be claimed is claimed soon after', async () => {
  const starter = await db.launchEngine(slowPolls);
  const run = await starter.startWorkflow(greet);
  const locker = await db.connect();
  await locker.query('begin');
  await locker.query('select from perdure.runs where id = $1 for update', [run.id]);

  await db.launchEngine({ ...slowPolls, workflows: [greet] });
  const claims = `select from pg_stat_activity where datname = current_database() and query like '%full_queues as materialized%' and pid <> pg_backend_pid()`;
  await waitFor(() => db.query(claims), { what: 'a claim', until: (rows) => rows.length > 0 });
  await locker.query('commit');

  const isOver = (status: string): boolean => status === 'succeeded';
  expect(await waitFor(() => run.status(), { what: 'the run to succeed', until: isOver })).toBe('succeeded');
});

test('a run that finishes while its waiter registers is not waited for in vain', async () => {
  const waiter = await db.launchEngine(slowPolls);
  const run = await waiter.startWorkflow(greet);
  const finisher = await db.connect();
  await finisher.query('begin');
  await finisher.query(
    `update perdure.runs set status = 'succeeded', output = '"hello"', due_at = null, finished_at = now() where id = $1`,
    [run.id],
  );

  const result = run.result();
  await waitForBlockedBackend(await db.connect(), { statement: 'is_watched' });
  await finisher.query('commit');

  expect(await result).toBe('hello');
});

// Limits of an executor while a claim is under way: what it will bring is not in memory yet.

import { expect, test } from '@jest/globals';
import { waitFor, waitForBlockedBackend } from '@perdure/testing';
import { queue, receive, topic, workflow } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const slowPolls = { pollInterval: '5m', lease: '10s' } as const;
const go = topic<string>('go');

test('a start does not take the place that a claim under way was promised', async () => {
  const work = workflow('work', async () => receive(go));
  const queues = [queue('one', { executorConcurrency: 1 })];
  const starter = await db.launchEngine({ ...slowPolls, queues });
  const worker = await db.launchEngine({ ...slowPolls, queues, workflows: [work] });
  const blocker = await db.connect();
  await blocker.query('begin');
  await blocker.query("select from perdure.executors where workflows <> '{}' for update");

  const claimed = await starter.startWorkflow(work, undefined, { queue: 'one' });
  await waitForBlockedBackend(await db.connect(), { statement: 'full_queues' });
  const starting = worker.startWorkflow(work, undefined, { queue: 'one' });
  await waitForBlockedBackend(await db.connect(), { count: 2, statement: 'owner as materialized' });
  await blocker.query('commit');
  await starting;

  await waitFor(() => claimed.status(), { what: 'the run to be claimed', until: (status) => status === 'running' });
  expect(await db.query("select from perdure.runs where status = 'running'")).toHaveLength(1);
});

test('runs whose queue was deleted while they were started are told as stranded', async () => {
  const lonely = workflow('lonely', async () => undefined);
  const client = await db.launchEngine({ queues: [queue('gone')] });
  await client.startWorkflow(lonely, undefined, { queue: 'gone' });
  await db.query("delete from perdure.queues where name = 'gone'");
  await db.query("update perdure.runs set due_at = now() - interval '1 minute' where queue = 'gone'");

  const worker = await db.launchEngine({ workflows: [lonely] });

  const health = await waitFor(() => worker.health(), {
    what: 'the look-out',
    until: ({ stranded }) => stranded.length > 0,
  });
  expect(health.stranded).toEqual([{ workflow: 'lonely', version: '', queue: 'gone', runs: 1 }]);
});

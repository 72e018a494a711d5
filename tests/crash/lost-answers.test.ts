// A connection that is lost between a commit and its answer, or while the statement is still at work: nobody may guess
// what has been written.

import { expect, test } from '@jest/globals';
import { waitForBlockedBackend } from '@perdure/testing';
import { runStep, workflow } from 'perdure';
import { useDurableDatabase } from './support/durable-database.js';

const db = useDurableDatabase();
const batch = 'perdure_write_batch';

test('a start that is committed while its connection is lost is carried out [191]', async () => {
  const proxy = await db.startProxy();
  const job = workflow('in flight', () => runStep('work', () => 'done'));
  const engine = await db.launchEngine({ database: proxy.url, directDatabase: db.url, workflows: [job], lease: '20s' });
  const [client, observer] = [await db.connect(), await db.connect()];

  await client.query('begin');
  await client.query('select from perdure.executors for update');
  const started = engine.startWorkflow(job);
  await waitForBlockedBackend(observer, { statement: 'started as' });
  proxy.cut();
  await waitForBlockedBackend(observer, { statement: 'started as', count: 2 });
  await client.query('commit');

  expect(await (await started).result()).toBe('done');
});

test('starting a finished run again executes nothing when the answer is lost [3, 7]', async () => {
  const proxy = await db.startProxy();
  let calls = 0;
  const job = workflow('finished', () => runStep('work', () => ++calls));
  const engine = await db.launchEngine({ database: proxy.url, workflows: [job] });
  await (await engine.startWorkflow(job, undefined, { id: 'finished' })).result();

  const lost = proxy.dropAnswerTo(batch);
  const again = await engine.startWorkflow(job, undefined, { id: 'finished' });
  await lost;

  expect(await again.result()).toBe(1);
  expect({ calls, isNew: again.isNew }).toEqual({ calls: 1, isNew: false });
});

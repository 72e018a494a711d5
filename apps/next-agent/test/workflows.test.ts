// The agent and the pipeline without a browser, a server, or waiting: how an application tests its workflows.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestEngine, createVirtualDatabase, type TestEngine } from '@perdure/testing';
import { queue } from 'perdure';

let testEngine: TestEngine;

// The shop connects when its file is loaded, so the database comes first.
beforeAll(async () => {
  const database = await createVirtualDatabase();
  process.env['DATABASE_URL'] = database.url;
  process.env['MODEL_PAUSE_MS'] = '0';
  const [{ prepareShop }, { refund }, documents] = await Promise.all([
    import('../lib/shop'),
    import('../lib/refund'),
    import('../lib/documents'),
  ]);
  await prepareShop();
  testEngine = await createTestEngine({
    database,
    workflows: [refund, documents.indexDocument, documents.indexPassage],
    queues: [queue('indexing', { concurrency: 4 })],
  });
});

afterAll(async () => {
  const { shopPool } = await import('../lib/shop');
  await shopPool.end();
});

test('an approved refund is paid back once, and the customer hears of it', async () => {
  const { refund, proposed, approval } = await load();
  const { engine } = testEngine;
  const run = await engine.startWorkflow(refund, request('A-1001'));

  expect(await engine.getEvent(run.id, proposed)).toMatchObject({ cents: 8_900 });
  await engine.send(run.id, approval, { approved: true });

  expect(await run.result()).toMatchObject({
    outcome: 'refunded',
    cents: 8_900,
    reply: expect.stringContaining('€89.00'),
  });
  expect(await refundsOf(run.id)).toEqual([8_900]);
});

test('past thirty days the agent proposes half, and a refusal moves no money', async () => {
  const { refund, proposed, approval } = await load();
  const { engine } = testEngine;
  const run = await engine.startWorkflow(refund, request('A-1003'));

  expect(await engine.getEvent(run.id, proposed)).toMatchObject({ cents: 2_100 });
  await engine.send(run.id, approval, { approved: false });

  expect(await run.result()).toMatchObject({ outcome: 'declined', cents: 0 });
  expect(await refundsOf(run.id)).toEqual([]);
});

test('when nobody decides in time, a colleague takes over', async () => {
  const { refund, proposed } = await load();
  const { engine, clock } = testEngine;
  const run = await engine.startWorkflow(refund, { ...request('A-1002'), patience: '2 days' });
  await engine.getEvent(run.id, proposed);

  await clock.advance('2 days');

  expect(await run.result()).toMatchObject({ outcome: 'expired', cents: 0 });
});

test('a text is cut into passages, and each is indexed once', async () => {
  const { indexDocument } = await import('../lib/documents');
  const { engine } = testEngine;
  const text = 'The lighthouse keeper wrote everything down. '.repeat(12);

  const run = await engine.startWorkflow(indexDocument, { title: 'Light', text });

  expect(await run.result()).toEqual({ passages: 6, words: 72, terms: expect.arrayContaining(['lighthouse']) });
  const { shopPool } = await import('../lib/shop');
  const { rows } = await shopPool.query('select place from passages where run_id = $1 order by place', [run.id]);
  expect(rows).toHaveLength(6);
});

const load = () => import('../lib/refund');

function request(orderId: string): { orderId: string; complaint: string; patience: string } {
  return { orderId, complaint: 'It flickers.', patience: '10 minutes' };
}

async function refundsOf(runId: string): Promise<number[]> {
  const { shopPool } = await import('../lib/shop');
  const { rows } = await shopPool.query<{ cents: number }>('select cents from refunds where run_id = $1', [runId]);
  return rows.map(({ cents }) => cents);
}

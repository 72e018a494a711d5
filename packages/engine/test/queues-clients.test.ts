// A process that only starts, and one that only works: what passes between them by a queue, how fast, and what a process that dies costs.

import { expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { contract, queue, workflow } from '../src/index.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const mail = queue('mail');
const narrow = queue('narrow', { concurrency: 1 });
const send = contract<string, string>('send');
const sending = workflow('send', async (to: string) => `sent to ${to}`);

test('what a client enqueues is run by a worker, once for each id, and the client gets the result [154]', async () => {
  const client = await db.launchEngine();
  const worker = await db.launchEngine({ workflows: [sending], queues: [mail] });

  const first = await client.startWorkflow(send, 'Ada', { id: 'mail-1', queue: 'mail' });
  const again = await client.startWorkflow(send, 'Grace', { id: 'mail-1', queue: 'mail' });

  expect(await Promise.all([first.result(), again.result()])).toEqual(['sent to Ada', 'sent to Ada']);
  expect([first.isNew, again.isNew]).toEqual([true, false]);
  expect((await worker.runs.get('mail-1'))?.epoch).toBe(1);
});

test('an idle worker begins what another process enqueues within 50 ms, half of the time at least [131]', async () => {
  const notified = { database: db.url, listen: true, pollInterval: '5s' } as const;
  const client = await db.launchEngine(notified);
  await db.launchEngine({ ...notified, workflows: [sending], queues: [mail] });
  await (await client.startWorkflow(send, 'warm up', { queue: 'mail' })).result();
  const waits: number[] = [];

  for (let index = 0; index < 31; index++) {
    const run = await client.startWorkflow(send, `${index}`, { queue: 'mail' });
    await run.result();
    const { createdAt, startedAt } = (await client.runs.get(run.id)) ?? {};
    waits.push((startedAt?.getTime() ?? Infinity) - (createdAt?.getTime() ?? 0));
  }

  expect(waits.sort((a, b) => a - b)[15]).toBeLessThan(50);
});

test('an idle worker asks the database less than twice a second, whatever the number of its queues [131]', async () => {
  const queues = Array.from({ length: 50 }, (_, index) => queue(`queue ${index}`, { concurrency: 5 }));
  const worker = await db.launchEngine({ database: db.url, listen: true, lease: '6s', pollInterval: '5s', queues });
  await worker.health();
  const query = jest.spyOn(pg.Client.prototype, 'query');

  await new Promise((resolve) => setTimeout(resolve, 6_000)); // what is measured is this span of time

  const { length } = query.mock.calls;
  query.mockRestore();
  expect(length).toBeGreaterThan(0);
  expect(length).toBeLessThan(12);
}, 15_000);

test('a run that is stopped for crashing its processes frees its slot and its dedup key [16]', async () => {
  const poison = contract<number, number>('sequence');
  const engine = await db.launchEngine({ workflows: [sending], queues: [narrow], maxRecoveries: 0 });
  const place = { queue: narrow, dedupKey: 'only one' };
  const run = await engine.startWorkflow(poison, 40, place);
  await db.spawn('crash-worker', { crashAt: 'step:first' }).exited;

  await perdureErrorOf(run.result(), 'RUN_CRASH_LIMIT');
  const next = await engine.startWorkflow(send, 'Ada', place);

  expect(await next.result()).toBe('sent to Ada');
});

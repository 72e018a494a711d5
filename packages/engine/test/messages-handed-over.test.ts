// Messages that are handed over in memory, because the run that waits for them is in the process that sends: their order, and
// that none is given twice. Polling is so slow here that it cannot help.

import { expect, test } from '@jest/globals';
import { waitFor, waitForBlockedBackend } from '@perdure/testing';
import { receive, runStep, send, silentLogger, topic, workflow, type Engine, type RunHandle } from '../src/index.js';
import { watchingStatements } from './support/statements.js';
import { startTcpProxy } from './support/tcp-proxy.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const slowPolls = { pollInterval: '5m', lease: '1m', listen: false } as const;
const orders = topic<number>('orders');
const other = topic<number>('other');

const takeAll = workflow('take-all', async (count: number) => {
  const taken: unknown[] = [];
  while (taken.length < count) taken.push(await receive(orders));
  return taken;
});
const takeBoth = workflow('take-both', async () => Promise.all([receive(other), receive(orders)]));
const sender = workflow('sender', async (to: string) => {
  await runStep('before', () => undefined);
  await send(to, orders, 1);
});

// A run that has asked for messages, and found none.
async function waiting(start: () => Promise<RunHandle<unknown>>): Promise<RunHandle<unknown>> {
  return watchingStatements(async ({ answered }) => {
    const run = await start();
    await answered('waiting_messages');
    return run;
  });
}
const startWaiting = (engine: Engine, count: number): Promise<RunHandle<unknown>> =>
  waiting(() => engine.startWorkflow(takeAll, count));

const aboutMessages = /send|messages|notify/;

test('a message to a run that waits in the process of its sender costs one statement', async () => {
  const engine = await db.launchEngine({ ...slowPolls, workflows: [takeAll] });
  const run = await startWaiting(engine, 1);

  await watchingStatements(async ({ names }) => {
    await engine.send(run.id, orders, 1);

    expect(await run.result()).toEqual([1]);
    expect(names.filter((name) => aboutMessages.test(name))).toEqual(['send_message']);
  });
});

test('a message of a workflow to a run that waits in its process costs one statement', async () => {
  const engine = await db.launchEngine({ ...slowPolls, workflows: [takeAll, sender] });
  const run = await startWaiting(engine, 1);

  await watchingStatements(async ({ names }) => {
    await engine.startWorkflow(sender, run.id);

    expect(await run.result()).toEqual([1]);
    expect(names.filter((name) => aboutMessages.test(name))).toEqual(['send_message']);
  });
});

test('a message that is handed over is received for good with its checkpoint', async () => {
  const engine = await db.launchEngine({ ...slowPolls, workflows: [takeAll] });
  const run = await startWaiting(engine, 1);

  await engine.send(run.id, orders, 1);
  await run.result();

  const rows = await db.query('select received_seq from perdure.messages where run_id = $1', [run.id]);
  expect(rows).toEqual([{ received_seq: 1 }]);
});

test('a message that another process has sent before comes first, although nobody has told of it', async () => {
  const engine = await db.launchEngine({ ...slowPolls, workflows: [takeAll] });
  const run = await startWaiting(engine, 2);
  await db.query(`insert into perdure.messages (run_id, topic, body) values ($1, 'orders', '1')`, [run.id]);

  await engine.send(run.id, orders, 2);

  expect(await run.result()).toEqual([1, 2]);
});

test('a message that another process commits while this one waits for the row of the run comes first', async () => {
  const engine = await db.launchEngine({ ...slowPolls, workflows: [takeAll] });
  const run = await startWaiting(engine, 2);
  const rival = await db.connect();
  await rival.query('begin');
  await rival.query(`insert into perdure.messages (run_id, topic, body) values ($1, 'orders', '1')`, [run.id]);
  await rival.query('update perdure.runs set due_at = now() where id = $1', [run.id]);

  const sending = engine.send(run.id, orders, 2);
  await waitForBlockedBackend(await db.connect(), { statement: 'insert into "perdure".messages' });
  await rival.query('commit');
  await sending;

  expect(await run.result()).toEqual([1, 2]);
});

test('a message of a transaction that is still open does not hold up one that is sent after it', async () => {
  const engine = await db.launchEngine({ ...slowPolls, workflows: [takeAll] });
  const run = await startWaiting(engine, 2);
  const transaction = await db.connect();
  await transaction.query('begin');
  await engine.send(run.id, orders, 1, { transaction });

  await engine.send(run.id, orders, 2);
  await transaction.query('commit');

  expect(await run.result()).toEqual([2, 1]);
});

test('a message whose dedup key was used before is not handed over', async () => {
  const engine = await db.launchEngine({ ...slowPolls, workflows: [takeAll] });
  const run = await startWaiting(engine, 2);

  await engine.send(run.id, orders, 1, { dedupKey: 'a' });
  await engine.send(run.id, orders, 2, { dedupKey: 'a' });
  await engine.send(run.id, orders, 3, { dedupKey: 'b' });

  expect(await run.result()).toEqual([1, 3]);
});

test('a message goes to who waits for its topic, and leaves the others waiting', async () => {
  const engine = await db.launchEngine({ ...slowPolls, workflows: [takeBoth] });
  const run = await waiting(() => engine.startWorkflow(takeBoth));

  await engine.send(run.id, orders, 1);
  await engine.send(run.id, other, 2);

  expect(await run.result()).toEqual([2, 1]);
});

test('messages that many senders send at once are each received once', async () => {
  const engine = await db.launchEngine({ ...slowPolls, workflows: [takeAll] });
  const second = await db.launchEngine({ ...slowPolls, workflows: [] });
  const run = await startWaiting(engine, 200);
  const numbers = Array.from({ length: 200 }, (_, i) => i);

  await Promise.all(numbers.map((i) => (i % 3 === 0 ? second : engine).send(run.id, orders, i)));

  const taken = (await run.result()) as number[];
  expect([...taken].sort((a, b) => a - b)).toEqual(numbers);
});

test('a message of a workflow whose answer is lost is received at once, and once', async () => {
  const proxy = await startTcpProxy(db.engineUrl);
  const options = { ...slowPolls, parkAfter: '5m', workflows: [takeAll, sender], database: proxy.url } as const;
  const engine = await db.launchEngine(options);
  const [run, busy] = [await startWaiting(engine, 1), await startWaiting(engine, 2)];

  for (const { id } of [run, busy]) {
    const cut = proxy.cut('after', /perdure_send_message|with target as/);
    await (await engine.startWorkflow(sender, id)).result();
    await cut;
  }
  await engine.send(busy.id, orders, 2);

  expect(await run.result()).toEqual([1]);
  expect(await busy.result()).toEqual([1, 2]);
  await engine.close();
  await proxy.stop();
});

test.each([{ parkAfter: '5m' }, { parkAfter: 0 }] as const)(
  'a message whose sender repeats it, because the answer was lost, is received at once (%j)',
  async (parking) => {
    const proxy = await startTcpProxy(db.engineUrl);
    const engine = await db.launchEngine({ ...slowPolls, ...parking, workflows: [takeAll], database: proxy.url });
    const run = await startWaiting(engine, 1);
    const cut = proxy.cut('after', /perdure_send_message|with target as/);

    await engine.send(run.id, orders, 1, { dedupKey: 'a' }).catch(() => undefined);
    await cut;
    await engine.send(run.id, orders, 1, { dedupKey: 'a' });

    expect(await run.result()).toEqual([1]);
    await engine.close();
    await proxy.stop();
  },
);

test('a message of a workflow that is sent twice at the same moment, because the answer was lost, is no error', async () => {
  const engine = await db.launchEngine({ ...slowPolls, workflows: [takeAll, sender] });
  const run = await startWaiting(engine, 1);
  const first = await db.connect();
  await first.query('begin');
  const insert = `insert into perdure.messages (run_id, topic, body, dedup_key) values ($1, 'orders', '1', 'twice orders 1')`;
  await first.query(insert, [run.id]);

  const sending = await engine.startWorkflow(sender, run.id, { id: 'twice' });
  await waitForBlockedBackend(await db.connect(), { statement: 'insert into "perdure".messages' });
  await first.query('commit');

  expect(await sending.result()).toBeUndefined();
  expect(await run.result()).toEqual([1]);
});

test('a run that loses its owner while it sends catches nothing', async () => {
  const heard: unknown[] = [];
  const catching = workflow('catching', (to: string) =>
    send(to, orders, 1).catch((error: unknown) => void heard.push(error)),
  );
  const logger = { ...silentLogger, warn: (_: object, message: string) => void heard.push(message) };
  const engine = await db.launchEngine({ ...slowPolls, workflows: [takeAll, catching], logger });
  const run = await startWaiting(engine, 1);
  const blocker = await db.connect();
  await blocker.query('begin');
  await blocker.query('lock table perdure.messages in exclusive mode');

  const { id } = await engine.startWorkflow(catching, run.id);
  await waitForBlockedBackend(await db.connect(), { statement: 'insert into "perdure".messages' });
  await db.query('update perdure.runs set epoch = epoch + 1 where id = $1', [id]);
  await blocker.query('commit');

  await waitFor(() => heard.length > 0, { what: 'the run to be lost' });
  expect(heard).toEqual([expect.stringContaining('run lost')]);
});

// Messages: order, exactly once, timeouts, and who may send to whom.

import { expect, test } from '@jest/globals';
import { waitFor, waitForBlockedBackend } from '@perdure/testing';
import { receive, runStep, send, sleep, startWorkflow, topic, workflow } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

const orders = topic<number | null>('orders');
const other = topic<number>('other');

const takeAll = workflow('take-all', async (count: number) => {
  const taken: unknown[] = [];
  while (taken.length < count) taken.push(await receive(orders));
  return taken;
});

test('messages of a topic are received in the order in which they were sent [82]', async () => {
  const engine = await db.launchEngine({ workflows: [takeAll] });
  const run = await engine.startWorkflow(takeAll, 50);

  for (let message = 0; message < 50; message++) await engine.send(run.id, orders, message);

  expect(await run.result()).toEqual(Array.from({ length: 50 }, (_, message) => message));
});

test('messages that were sent before they are asked for are waiting [82]', async () => {
  const slow = workflow('slow', async () => {
    await sleep(50);
    return [await receive(orders), await receive(orders)];
  });
  const engine = await db.launchEngine({ workflows: [slow] });
  const run = await engine.startWorkflow(slow);

  await engine.send(run.id, orders, 1);
  await engine.send(run.id, orders, 2);

  expect(await run.result()).toEqual([1, 2]);
});

test('topics are separate mailboxes [83]', async () => {
  const both = workflow('both', async () => [await receive(other), await receive(orders)]);
  const engine = await db.launchEngine({ workflows: [both] });
  const run = await engine.startWorkflow(both);

  await engine.send(run.id, orders, 1);
  await engine.send(run.id, other, 2);

  expect(await run.result()).toEqual([2, 1]);
});

test('a receive that times out returns undefined, and a sent null is null [85, 92]', async () => {
  const twice = workflow('twice', async () => [await receive(orders), await receive(orders, { timeout: 30 })]);
  const engine = await db.launchEngine({ workflows: [twice] });
  const run = await engine.startWorkflow(twice);

  await engine.send(run.id, orders, null);

  expect(await run.result()).toEqual([null, undefined]);
});

test('two receivers of one run never get the same message [89]', async () => {
  const parallel = workflow('parallel', async () => Promise.all([receive(orders), receive(orders), receive(orders)]));
  const engine = await db.launchEngine({ workflows: [parallel] });
  const run = await engine.startWorkflow(parallel);

  for (const message of [1, 2, 3]) await engine.send(run.id, orders, message);

  expect(await run.result()).toEqual([1, 2, 3]);
});

test('the same dedup key to the same run has no effect, to another run it has [86]', async () => {
  const engine = await db.launchEngine({ workflows: [takeAll] });
  const [first, second] = [await engine.startWorkflow(takeAll, 2), await engine.startWorkflow(takeAll, 1)];

  await engine.send(first.id, orders, 1, { dedupKey: 'a' });
  await engine.send(first.id, orders, 2, { dedupKey: 'a' });
  await engine.send(first.id, orders, 3, { dedupKey: 'b' });
  await engine.send(second.id, orders, 4, { dedupKey: 'a' });

  expect(await first.result()).toEqual([1, 3]);
  expect(await second.result()).toEqual([4]);
});

test('a dedup key with another fingerprint is refused, and the first message alone arrives', async () => {
  const engine = await db.launchEngine({ workflows: [takeAll] });
  const run = await engine.startWorkflow(takeAll, 2);
  await engine.send(run.id, orders, 1, { dedupKey: 'a', fingerprint: 'one' });

  const other = engine.send(run.id, orders, 2, { dedupKey: 'a', fingerprint: 'two' });
  await expect(other).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED', httpStatus: 422 });
  await engine.send(run.id, orders, 1, { dedupKey: 'a', fingerprint: 'one' });
  await engine.send(run.id, orders, 3, { dedupKey: 'b' });

  expect(await run.result()).toEqual([1, 3]);
});

test('a dedup key is refused another fingerprint also while the first message is being sent', async () => {
  const engine = await db.launchEngine({ workflows: [takeAll] });
  const run = await engine.startWorkflow(takeAll, 1);
  const transaction = await db.connect();
  await transaction.query('begin');
  await engine.send(run.id, orders, 1, { dedupKey: 'a', fingerprint: 'one', transaction });

  const other = engine.send(run.id, orders, 2, { dedupKey: 'a', fingerprint: 'two' });
  const same = engine.send(run.id, orders, 1, { dedupKey: 'a', fingerprint: 'one' });
  await waitForBlockedBackend(await db.connect(), { statement: 'with target as', count: 2 });
  await transaction.query('commit');

  await expect(other).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
  await same;
  expect(await run.result()).toEqual([1]);
});

test('sending to a run that does not exist or is finished is an error [87]', async () => {
  const done = workflow('done', async () => undefined);
  const engine = await db.launchEngine({ workflows: [done] });
  const run = await engine.startWorkflow(done);
  await run.result();

  await expect(engine.send('nobody', orders, 1)).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
  await expect(engine.send(run.id, orders, 1)).rejects.toMatchObject({ code: 'RUN_STATE_CONFLICT' });
  expect(await db.query('select from perdure.messages where run_id = $1', [run.id])).toEqual([]);
});

test('a send that fails inside a workflow is recorded, and can be caught [87]', async () => {
  const careful = workflow('careful', async () => {
    try {
      await send('nobody', orders, 1);
      return 'sent';
    } catch (error) {
      return (error as { code: string }).code;
    }
  });
  const engine = await db.launchEngine({ workflows: [careful] });

  const run = await engine.startWorkflow(careful);

  expect(await run.result()).toBe('RUN_NOT_FOUND');
  expect(await engine.runs.steps(run.id)).toMatchObject([{ kind: 'send', error: { code: 'RUN_NOT_FOUND' } }]);
});

test('a send of a run happens once, although its sender dies before it is recorded [88]', async () => {
  const engine = await db.launchEngine({ workflows: [takeAll] });
  const run = await engine.startWorkflow(takeAll, 2, { id: 'receiver-of-one' });
  const child = db.spawn('sender', { args: ['sender-of-one', run.id], crashAt: 'after:perdure_send_message' });
  await child.exited;

  await db.launchEngine({ workflows: [sender] });
  await engine.getHandle('sender-of-one').result();
  await engine.send(run.id, orders, 2);

  expect(await run.result()).toEqual([1, 2]);
});

const sender = workflow('sender', async (to: string) => {
  await send(to, orders, 1);
});

test('a message is received for good with its checkpoint: replay gets the same one and takes no other [84, 18]', async () => {
  const engine = await db.launchEngine({ workflows: [] });
  const child = db.spawn('receiver', { args: ['takes-two'] });
  await child.message('started');
  await engine.send('takes-two', orders, 1);
  await child.message('received');
  await engine.send('takes-two', orders, 2);

  child.kill('SIGKILL');
  await db.launchEngine({ workflows: [receiver] });

  expect(await engine.getHandle('takes-two').result()).toEqual([1, 2]);
});

const receiver = workflow('receiver', async () => {
  const first = await receive(orders);
  await runStep('tell', () => undefined);
  return [first, await receive(orders)];
});

test('a parked run wakes for its topic and not for another [182]', async () => {
  const engine = await db.launchEngine({ workflows: [takeAll], parkAfter: 0 });
  const run = await engine.startWorkflow(takeAll, 1);
  await waitFor(() => run.status(), { what: 'the run to park', until: (status) => status === 'waiting' });
  const { epoch } = (await engine.runs.get(run.id)) ?? { epoch: 0 };

  await engine.send(run.id, other, 9);
  await engine.send(run.id, orders, 1);

  expect(await run.result()).toEqual([1]);
  expect((await engine.runs.get(run.id))?.epoch).toBe(epoch + 1);
});

test('a message that comes while the run is parking is not missed [183]', async () => {
  const engine = await db.launchEngine({ workflows: [takeAll], parkAfter: 0 });

  const runs = await Promise.all(Array.from({ length: 40 }, () => engine.startWorkflow(takeAll, 1)));
  await Promise.all(runs.map((run) => engine.send(run.id, orders, 1)));

  expect(await Promise.all(runs.map((run) => run.result()))).toEqual(runs.map(() => [1]));
});

test('the timeout of a parked receive ends it [85]', async () => {
  const patient = workflow('patient', () => receive(orders, { timeout: 300 }));
  const engine = await db.launchEngine({ workflows: [patient], parkAfter: 0 });

  const run = await engine.startWorkflow(patient);

  expect(await run.result()).toBeUndefined();
  expect((await engine.runs.get(run.id))?.epoch).toBeGreaterThan(1);
});

test.each([
  ['in time is received', '90 minutes', 1],
  ['too late is not received', '30 minutes', undefined],
])('a message that was sent %s, although the run wakes when its time is over [85]', async (_, ago, expected) => {
  const late = workflow('late', () => receive(orders, { timeout: '1h' }));
  const worker = await db.launchEngine({ workflows: [late], parkAfter: 0 });
  const outside = await db.launchEngine();
  const run = await outside.startWorkflow(late);
  await waitFor(() => run.status(), { what: 'the run to wait', until: (status) => status === 'waiting' });
  await worker.close();

  await outside.send(run.id, orders, 1);
  await db.query(`update perdure.runs set started_at = now() - interval '2 hours' where id = $1`, [run.id]);
  await db.query(`update perdure.messages set sent_at = now() - $2::interval where run_id = $1`, [run.id, ago]);
  await db.launchEngine({ workflows: [late] });

  expect(await run.result()).toBe(expected);
});

test('a child answers its parent by a message', async () => {
  const child = workflow('answering', (parent: string) => send(parent, orders, 42));
  const parent = workflow('asking', async (own: string) => {
    await startWorkflow(child, own);
    return receive(orders);
  });
  const engine = await db.launchEngine({ workflows: [parent, child] });

  const run = await engine.startWorkflow(parent, 'asking-1', { id: 'asking-1' });

  expect(await run.result()).toBe(42);
});

test('a message that a schema refuses is not sent', async () => {
  const checked = topic('checked', {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value: unknown) => (value === 1 ? { value } : { issues: [{ message: 'not one' }] }),
    },
  });
  const engine = await db.launchEngine({ workflows: [takeAll] });
  const run = await engine.startWorkflow(takeAll, 1);

  await expect(engine.send(run.id, checked, 2)).rejects.toMatchObject({ code: 'INPUT_INVALID' });

  await run.cancel();
  expect(await db.query('select from perdure.messages where run_id = $1', [run.id])).toEqual([]);
});

// Open claims beside what else goes on: applications that want something of their runs, and other executors.

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { waitFor, waitForBlockedBackend } from '@perdure/testing';
import { setTimeout as delay } from 'node:timers/promises';
import { contract, queue, topic, workflow } from '../src/index.js';
import { processState } from '../src/values/process-state.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const backlog = queue('backlog');
const queues = [backlog];
const word = topic<string>('word');
const echo = workflow('echo', async (n: number) => n);
// One committed claim of 500, and two open ones for the rest.
const count = 1_200;
const room = { maxConcurrentRuns: 900, pollInterval: '200ms', queues, workflows: [echo] } as const;

beforeEach(() =>
  db.query('truncate perdure.runs, perdure.steps, perdure.executors, perdure.open_claims, perdure.queues'),
);
afterEach(() => {
  delete processState().crashPoint;
});

async function enqueue(name: string, runs = count): Promise<string[]> {
  const client = await db.launchEngine({ queues });
  const inputs = Array.from({ length: runs }, (_, input) => ({ input, queue: backlog }));
  return (await client.startWorkflows(contract<number>(name), inputs)).map(({ id }) => id);
}

const whenAllEnded = (timeoutMs: number): Promise<unknown> =>
  waitFor(() => db.query('select from perdure.runs where finished_at is null limit 1'), {
    what: 'all runs to end',
    timeoutMs,
    until: ({ length }) => length === 0,
  });

test('senders that wait for the runs of an open claim do not keep it from its note', async () => {
  const ids = await enqueue('echo');
  const engine = db.createEngine({ ...room, poolSize: 1 });
  const sending: Promise<unknown>[] = [];
  processState().crashPoint = (point) => {
    if (point !== 'after:perdure_claim_open' || sending.length > 0) return;
    const sends = ids.slice(500).map((id) => engine.send(id, word, 'go').catch((error: unknown) => error));
    sending.push(...sends);
  };
  await engine.launch();
  await whenAllEnded(8_000);

  expect(await Promise.all(sending)).toHaveLength(700);
});

test('a resumed run is not in an open claim: others need not wait for it', async () => {
  const ids = await enqueue('echo');
  const client = await db.launchEngine({ queues });
  const resumed = ids[600] ?? ''; // the first open claim begins at 500
  await client.runs.cancel(resumed);
  await client.runs.resume(resumed);
  const holder = await db.connect();
  await holder.query('begin');
  await holder.query('lock table perdure.open_claims in share mode');
  await db.launchEngine(room);
  await waitForBlockedBackend(await db.connect(), { statement: 'open_claims (executor, number' });

  const sent = client.send(resumed, word, 'go').then(() => 'sent');
  expect(await Promise.race([sent, delay(5_000, 'waits', { ref: false })])).toBe('sent');
  await holder.query('commit');
  await whenAllEnded(20_000);
});

test('what was resumed since it was noted is in line as before when its executor dies', async () => {
  const [id = ''] = await enqueue('echo', 1);
  const client = await db.launchEngine({ queues });
  await client.queues.pause('backlog');
  await client.runs.cancel(id);
  await client.runs.resume(id);
  await db.query('insert into perdure.open_claims (executor, number, run_ids) values ($1, 0, $2)', [
    '00000000-0000-7000-8000-000000000001',
    [id],
  ]);
  await db.launchEngine(room);
  await waitFor(() => db.query('select from perdure.open_claims'), {
    what: 'no notes',
    until: ({ length }) => length === 0,
  });

  expect(await db.query('select status, slot, crashes from perdure.runs')).toEqual([
    { status: 'queued', slot: 'ready', crashes: 0 },
  ]);
});

test('notes that could not be forgotten are forgotten later, without another backlog', async () => {
  await enqueue('echo');
  let failures = 0;
  processState().crashPoint = (point) => {
    if (point !== 'before:perdure_forget_open_claims' || failures++ > 0) return;
    throw new Error('the connection is lost');
  };
  await db.launchEngine(room);
  await whenAllEnded(20_000);

  await waitFor(() => db.query('select from perdure.open_claims'), {
    what: 'no notes',
    until: ({ length }) => length === 0,
  });
  expect(failures).toBeGreaterThan(1);
});

test('a process that hangs and still holds its runs keeps no others from being recovered', async () => {
  const dead = '00000000-0000-7000-8000-000000000001';
  const [held = '', owned = ''] = await enqueue('echo', 2);
  const hanging = await db.connect();
  await hanging.query('begin');
  await hanging.query('select from perdure.runs where id = $1 for update', [held]);
  await db.query(
    `insert into perdure.executors (id, host, pid, lease_ms, dead_at) values ($1, 'there', 1, 1000, now())`,
    [dead],
  );
  await db.query('insert into perdure.open_claims (executor, number, run_ids) values ($1, 0, $2)', [dead, [held]]);
  await db.query(`update perdure.runs set status = 'running', executor = $1, epoch = 1, slot = 'held' where id = $2`, [
    dead,
    owned,
  ]);
  const engine = await db.launchEngine(room);

  expect(await engine.getHandle(owned).result()).toBe(1);
  await hanging.query('commit');
  expect(await engine.getHandle(held).result()).toBe(0);
});

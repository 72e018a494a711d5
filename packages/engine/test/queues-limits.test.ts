// What limits hold back, what gives a slot back, and changing queues at run time.

import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { queue, receive, runStep, topic, workflow, type Engine } from '../src/index.js';
import { gate } from './support/gate.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const answer = topic<string>('answer');

/** A workflow that counts how many of its runs execute at once, each for a moment. */
function counted(name: string): { work: typeof work; most: () => number } {
  const now = { running: 0, most: 0 };
  const work = workflow(name, () =>
    runStep('work', async () => {
      now.most = Math.max(now.most, ++now.running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      now.running -= 1;
    }),
  );
  return { work, most: () => now.most };
}

function become(engine: Engine, id: string, wanted: string): Promise<unknown> {
  return waitFor(() => engine.getHandle(id).status(), { what: `a run to be ${wanted}`, until: (is) => is === wanted });
}

test('no more runs than allowed execute at once, and all of the slots are used [109]', async () => {
  const { work, most } = counted('three');
  const engine = await db.launchEngine({ workflows: [work], queues: [queue('three', { concurrency: 3 })] });

  const runs = await engine.startWorkflows(
    work,
    Array.from({ length: 60 }, () => ({ queue: 'three' })),
  );
  await Promise.all(runs.map((run) => run.result()));

  expect(most()).toBe(3);
});

test('each key has its own limit, below that of one executor and of the queue [110, 118]', async () => {
  const running = new Map<string, number>();
  const most = new Map<string, number>();
  const work = workflow('per key', (key: string) =>
    runStep('work', async () => {
      for (const name of [key, 'all']) {
        running.set(name, (running.get(name) ?? 0) + 1);
        most.set(name, Math.max(most.get(name) ?? 0, running.get(name) ?? 0));
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
      for (const name of [key, 'all']) running.set(name, (running.get(name) ?? 0) - 1);
    }),
  );
  const limits = { concurrency: 8, executorConcurrency: 5, perKey: { concurrency: 2 } };
  const engine = await db.launchEngine({ workflows: [work], queues: [queue('per key', limits)] });

  const runs = await engine.startWorkflows(
    work,
    Array.from({ length: 90 }, (_, index) => {
      const partitionKey = 'abc'.charAt(index % 3);
      return { input: partitionKey, partitionKey, queue: 'per key' };
    }),
  );
  await Promise.all(runs.map((run) => run.result()));

  expect(Object.fromEntries(most)).toEqual({ a: 2, b: 2, c: 2, all: 5 });
});

test.each([
  ['of the queue', {}, 5],
  ['of each key', { key: 'partition' as const }, 10],
])('a rate limit %s is never exceeded in any window, and is used fully [111]', async (name, key, perWindow) => {
  const work = workflow(`rate ${name}`, async () => undefined);
  const limited = queue(`rate ${name}`, { rateLimit: { limit: 5, per: 400, ...key } });
  const engine = await db.launchEngine({ workflows: [work], queues: [limited] });
  const began = performance.now();

  const runs = await engine.startWorkflows(
    work,
    Array.from({ length: 4 * perWindow }, (_, index) => ({ queue: limited, partitionKey: index % 2 ? 'a' : 'b' })),
  );
  await Promise.all(runs.map((run) => run.result()));

  expect(performance.now() - began).toBeLessThan(4_000);
  const starts = await db.query<{ at: number; key: string }>(
    `select extract(epoch from started_at)::float8 * 1000 as at, partition_key as key from perdure.runs
     where queue = $1 order by started_at`,
    [limited.name],
  );
  const limitedTogether = 'key' in key ? ['a', 'b'].map((k) => starts.filter((start) => start.key === k)) : [starts];
  for (const line of limitedTogether)
    for (const [index, { at }] of line.entries()) expect((line[index + 5]?.at ?? Infinity) - at).toBeGreaterThan(399.5);
});

test('a waiting run keeps its slot, unless its queue releases it [125]', async () => {
  const asking = workflow('asking', () => receive(answer));
  const keeps = queue('keeps', { concurrency: 1 });
  const releases = queue('releases', { concurrency: 1, releaseWhileWaiting: true });
  const engine = await db.launchEngine({ workflows: [asking], queues: [keeps, releases], parkAfter: 0 });
  const start = async (where: typeof keeps): Promise<string> =>
    (await engine.startWorkflow(asking, undefined, { queue: where })).id;

  const [kept, behind] = [await start(keeps), await start(keeps)];
  const [released, next] = [await start(releases), await start(releases)];

  await Promise.all([kept, released, next].map((id) => become(engine, id, 'waiting')));
  expect(await engine.queues.explain(behind)).toMatchObject({ reason: 'concurrency' });
  await engine.send(kept, answer, 'yes');
  await engine.send(released, answer, 'yes');
  await Promise.all([become(engine, behind, 'waiting'), become(engine, released, 'succeeded')]);
});

test('limits that change at run time hold for running engines at once, and survive their restart [125]', async () => {
  const done = gate();
  const held = workflow('held', () => runStep('wait', () => done.opened));
  const grows = queue('grows', { concurrency: 1 });
  const engine = await db.launchEngine({ workflows: [held], queues: [grows], pollInterval: '1m' });
  const manager = await db.launchEngine();
  const runs = await engine.startWorkflows(
    held,
    Array.from({ length: 5 }, () => ({ queue: grows })),
  );
  const underWay = async (): Promise<number | undefined> => (await manager.queues.get(grows))?.counts.running;
  await waitFor(underWay, { what: 'the first run', until: (running) => running === 1 });

  await manager.queues.update(grows, { concurrency: 3 });
  await waitFor(underWay, { what: 'three runs', until: (running) => running === 3 });
  await db.launchEngine({ queues: [grows] });

  expect(await manager.queues.get(grows)).toMatchObject({
    limits: { concurrency: 3 },
    counts: { running: 3, ready: 2 },
  });
  await db.launchEngine({ queues: [queue('grows', { concurrency: 4 })] });
  await waitFor(underWay, { what: 'the new declaration to be applied', until: (running) => running === 4 });
  done.open();
  await Promise.all(runs.map((run) => run.result()));
});

test('a paused queue lets nothing go, others go on, and resuming lets it go on [125, 128]', async () => {
  const { work } = counted('paused');
  const [closed, open] = [queue('closed'), queue('open', { concurrency: 1 })];
  const engine = await db.launchEngine({ workflows: [work], queues: [closed, open] });
  await engine.queues.pause(closed);

  const stopped = await engine.startWorkflow(work, undefined, { queue: closed });
  const other = await engine.startWorkflow(work, undefined, { queue: open });
  await other.result();

  expect(await engine.queues.explain(stopped.id)).toMatchObject({
    reason: 'queue paused',
    words: 'Queue "closed" is paused: engine.queues.resume lets it go on.',
  });
  await engine.queues.resume(closed);
  await stopped.result();
});

test('a queue that somebody else is counting in is skipped, and the others go on [120, 128]', async () => {
  const { work } = counted('contended');
  const [contended, free] = [queue('contended', { concurrency: 1 }), queue('free', { concurrency: 1 })];
  const engine = await db.launchEngine({ workflows: [work], queues: [contended, free] });
  const locker = await db.connect();
  await locker.query('begin');
  await locker.query(`select from perdure.queues where name = 'contended' for update`);

  const stuck = await engine.startWorkflow(work, undefined, { queue: contended });
  const other = await engine.startWorkflow(work, undefined, { queue: free });
  await other.result();
  expect(await stuck.status()).toBe('queued');

  await locker.query('commit');
  await stuck.result();
});

test('a queue that another process declares later is served, also after it was deleted and declared again [126]', async () => {
  const { work } = counted('later');
  await db.launchEngine({ workflows: [work] });
  const manager = await db.launchEngine();
  const later = queue('later', { concurrency: 2 });

  for (const _ of [1, 2]) {
    await manager.queues.declare(later);
    const run = await manager.startWorkflow(work, undefined, { queue: 'later' });
    await run.result();
    expect(await manager.queues.delete('later')).toBe(true);
  }
});

test('an engine that serves some queues takes no run of another [127, 130]', async () => {
  const { work } = counted('served');
  const [mine, yours] = [queue('mine'), queue('yours')];
  const narrow = await db.launchEngine({ workflows: [work], queues: [mine, yours], serveQueues: ['mine'] });

  const other = await narrow.startWorkflow(work, undefined, { queue: yours });
  const own = await narrow.startWorkflow(work, undefined, { queue: mine });
  await own.result();

  expect(await other.status()).toBe('queued');
  expect(await narrow.queues.explain(other.id)).toMatchObject({ reason: 'no executor' });
  const wide = await db.launchEngine({ workflows: [work] });
  await wide.getHandle(other.id).result();
});

test('an engine takes no more from a queue than it has room for [133]', async () => {
  const done = gate();
  const held = workflow('room', () => runStep('wait', () => done.opened));
  const wide = queue('wide');
  const engine = await db.launchEngine({ workflows: [held], queues: [wide], maxConcurrentRuns: 7 });

  const runs = await engine.startWorkflows(
    held,
    Array.from({ length: 30 }, () => ({ queue: wide })),
  );
  const full = await waitFor(() => engine.queues.get(wide), {
    what: 'seven runs',
    until: (info) => (info?.counts.running ?? 0) >= 7,
  });

  expect(full.counts).toMatchObject({ running: 7, ready: 23 });
  done.open();
  await Promise.all(runs.map((run) => run.result()));
});

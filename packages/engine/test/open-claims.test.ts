// A backlog of new runs is worked off with claims that are still open while the code of their runs begins: what ends by then is
// written once. Whatever happens meanwhile, nothing is lost and no step begins before its run is owned.

import { expect, test } from '@jest/globals';
import { waitFor, waitForBlockedBackend } from '@perdure/testing';
import {
  contract,
  event,
  getEvent,
  patched,
  queue,
  receive,
  runStep,
  topic,
  workflow,
  type Engine,
} from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const backlog = queue('backlog');
const queues = [backlog];
// One committed claim of 500, and open ones for the rest.
const count = 1_200;
const room = { maxConcurrentRuns: 900, pollInterval: '200ms' } as const;

// Where there are notifications, they bring the news and not a poll.
const slow = db.mode === 'polling' ? {} : { pollInterval: '30s' };

const numbers = Array.from({ length: count }, (_, n) => n);

async function enqueue({ name }: { readonly name: string }, timeout = '1h'): Promise<string[]> {
  const client = await db.launchEngine({ queues, maxRecoveries: 2 });
  const handles = await client.startWorkflows(
    contract<number>(name),
    numbers.map((input) => ({ input, queue: backlog, timeout })),
  );
  return handles.map(({ id }) => id);
}

async function whenAllEnded(): Promise<void> {
  const unfinished = (): Promise<unknown[]> =>
    db.query('select id from perdure.runs where finished_at is null limit 5');
  await waitFor(unfinished, { what: 'all runs to end', timeoutMs: 30_000, until: ({ length }) => length === 0 });
}

// Who begins an open claim notes it first: with that kept waiting, its runs are locked and have not begun.
async function holdOpenClaims(): Promise<{ whenHeld: () => Promise<unknown>; release: () => Promise<unknown> }> {
  const client = await db.connect();
  await client.query('begin');
  await client.query('lock table perdure.open_claims in share mode');
  const watcher = await db.connect();
  return {
    whenHeld: () => waitForBlockedBackend(watcher, { statement: 'open_claims (executor, number' }),
    release: () => client.query('commit'),
  };
}

const counted = `select count(*)::int4 as runs, min(epoch) as least, max(epoch) as most, max(recoveries) as recoveries,
                        count(*) filter (where status = 'succeeded' and output = input and executor is not null
                                         and started_at >= created_at and finished_at >= started_at)::int4 as whole
                 from perdure.runs`;

test('each run of a backlog is executed once, and nothing of it begins before it is noted', async () => {
  const executed: number[] = [];
  const echo = workflow('echo', async (n: number) => {
    executed.push(n);
    return n;
  });
  await enqueue(echo);
  const hold = await holdOpenClaims();
  await db.launchEngine({ ...room, queues, workflows: [echo] });
  await hold.whenHeld();
  const written = await waitFor(() => db.query('select input from perdure.runs where finished_at is not null'), {
    what: 'the committed claim to be worked off',
    until: ({ length }) => length === 500,
  });
  expect(executed).toHaveLength(written.length);
  await hold.release();
  await whenAllEnded();

  expect(executed.toSorted((a, b) => a - b)).toEqual(numbers);
  expect(await db.query(counted)).toEqual([{ runs: count, least: 1, most: 1, recoveries: 0, whole: count }]);
  await waitFor(async () => (await db.query('select from perdure.open_claims')).length === 0, { what: 'no notes' });
});

test('a step begins when its run is owned, and its time is that of the claim', async () => {
  await db.query('truncate perdure.runs, perdure.steps');
  const seen: unknown[] = [];
  const stepping = workflow('stepping', async (n: number) => {
    if (n < 1_000) return n;
    await runStep('look', async () => {
      seen.push(
        ...(await db.query<{ status: string }>(
          `select status, epoch, executor is not null as is_owned,
                    (extract(epoch from deadline_at - started_at))::int4 as timeout_s
             from perdure.runs where input = $1`,
          [String(n)],
        )),
      );
    });
    return n;
  });
  await enqueue(stepping, '90s');
  await db.launchEngine({ ...room, queues, workflows: [stepping] });
  await whenAllEnded();

  expect(seen).toHaveLength(200);
  expect(new Set(seen.map((row) => JSON.stringify(row)))).toEqual(
    new Set([JSON.stringify({ status: 'running', epoch: 1, is_owned: true, timeout_s: 90 })]),
  );
  expect(await db.query(counted)).toEqual([{ runs: count, least: 1, most: 1, recoveries: 0, whole: count }]);
});

test('what a run writes before its end comes after its claim', async () => {
  await db.query('truncate perdure.runs, perdure.steps');
  const word = topic<string>('word');
  const various = workflow('various', async (n: number) => {
    if (n % 3 === 0) return n;
    if (!patched('newer')) throw new Error('a new run has every patch');
    if (n % 3 === 1) return n;
    return (await receive(word, { timeout: 30_000 })) === undefined ? -1 : n;
  });
  const ids = await enqueue(various);
  const engine = await db.launchEngine({ ...room, queues, workflows: [various], parkAfter: 0 });
  const waiting = ids.filter((_, n) => n % 3 === 2);
  for (const id of waiting) await engine.send(id, word, 'go');
  await whenAllEnded();

  expect(await db.query("select count(*)::int4 as marks from perdure.steps where kind = 'patch'")).toEqual([
    { marks: 800 },
  ]);
  expect(await db.query(`${counted} where input::int % 3 = 1`)).toMatchObject([{ runs: 400, most: 1, whole: 400 }]);
  expect(await db.query(counted)).toMatchObject([{ runs: count, whole: count }]);
});

test('the keys of a backlog take turns, and its priorities hold', async () => {
  await db.query('truncate perdure.runs, perdure.steps');
  const executed: string[] = [];
  const keyed = workflow('keyed', async (key: string) => void executed.push(key));
  const client = await db.launchEngine({ queues });
  const starts = Array.from({ length: 3_000 }, (_, n) => {
    const key = n < 1_500 ? 'large' : `small ${n % 30}`;
    return { input: key, queue: backlog, partitionKey: key, priority: n % 500 === 499 ? 0 : 1 };
  });
  await client.startWorkflows(contract<string>('keyed'), starts);
  await db.launchEngine({ ...room, queues, workflows: [keyed] });
  await whenAllEnded();

  expect(executed).toHaveLength(3_000);
  // All the small ones are through when the large one has had about as much as each of them, and whatever was claimed at the same time.
  expect(executed.findLastIndex((key) => key !== 'large')).toBeLessThan(2_600);
  const urgent = await db.query<{ before: number }>(
    `select (select count(*) from perdure.runs b
             where b.partition_key = 'large' and b.priority = 1 and b.started_at < a.started_at)::int4 as before
     from perdure.runs a where a.partition_key = 'large' and a.priority = 0`,
  );
  expect(urgent).toEqual([{ before: 0 }, { before: 0 }, { before: 0 }]);
});

test('large results are written in portions', async () => {
  await db.query('truncate perdure.runs, perdure.steps');
  const large = workflow('large', async (n: number) => 'x'.repeat(20_000) + String(n));
  await enqueue(large);
  await db.launchEngine({ ...room, queues, workflows: [large] });
  await whenAllEnded();

  expect(
    await db.query(
      `select count(*)::int4 as runs, max(epoch) as most from perdure.runs
       where status = 'succeeded' and output = '"' || repeat('x', 20000) || input || '"'`,
    ),
  ).toEqual([{ runs: count, most: 1 }]);
});

test('whoever waits hears of the end: another process, and a run that is parked', async () => {
  await db.query('truncate perdure.runs, perdure.steps');
  const echo = workflow('echo', async (n: number) => n);
  const never = event('never');
  const onlooker = workflow('onlooker', async (ids: string[]) => {
    const seen = [];
    for (const id of ids) seen.push(await getEvent(id, never));
    return seen.length;
  });
  const ids = await enqueue(echo);
  const starter = await db.launchEngine({ queues, workflows: [onlooker], parkAfter: 0, ...slow });
  const run = await starter.startWorkflow(onlooker, ids.slice(1_000, 1_003));
  await waitFor(() => run.status(), { what: 'the onlooker to park', until: (status) => status === 'waiting' });
  const results = Promise.all(ids.slice(900, 1_000).map((id) => starter.getHandle<number>(id).result()));
  await waitFor(() => db.query('select from perdure.runs where is_watched'), {
    what: 'runs to be watched',
    until: ({ length }) => length === 100,
  });
  await db.launchEngine({ ...room, queues, workflows: [echo] });

  expect(await results).toEqual(numbers.slice(900, 1_000));
  expect(await run.result()).toBe(3);
});

interface Interrupted {
  readonly executed: number[];
  readonly engine: Engine;
}

/** Has open claims held up, does something to them, and lets them go on. */
async function interrupt(act: (engine: Engine) => Promise<unknown>, waitsForClaims = false): Promise<Interrupted> {
  await db.query('truncate perdure.runs, perdure.steps');
  const executed: number[] = [];
  const echo = workflow('echo', async (n: number) => {
    executed.push(n);
    return n;
  });
  await enqueue(echo);
  const hold = await holdOpenClaims();
  const engine = await db.launchEngine({ ...room, queues, workflows: [echo] });
  await hold.whenHeld();
  const acting = act(engine);
  if (!waitsForClaims) await acting;
  await hold.release();
  await acting;
  return { executed, engine };
}

test('a connection that is lost meanwhile leaves its runs in line', async () => {
  const { executed } = await interrupt(async () => {
    const ended = await db.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where state = 'idle in transaction'
       and datname = current_database() and application_name = 'perdure'`,
    );
    expect(ended.length).toBeGreaterThan(0);
  });
  await whenAllEnded();

  expect(new Set(executed).size).toBe(count);
  expect(await db.query(counted)).toEqual([{ runs: count, least: 1, most: 1, recoveries: 0, whole: count }]);
});

test('an executor that is declared dead meanwhile writes nothing', async () => {
  const { executed } = await interrupt(() => db.query('update perdure.executors set dead_at = now()'));
  await whenAllEnded();

  expect(new Set(executed).size).toBe(count);
  expect(await db.query(counted)).toMatchObject([{ runs: count, whole: count }]);
});

test('an engine that is closed meanwhile leaves nothing behind that it owns', async () => {
  const { engine } = await interrupt((closing) => closing.close(), true);
  await engine.close();
  expect(await db.query("select from perdure.runs where status = 'running'")).toEqual([]);
  expect(await db.query('select from perdure.open_claims')).toEqual([]);

  const echo = workflow('echo', async (n: number) => n);
  await db.launchEngine({ ...room, queues, workflows: [echo] });
  await whenAllEnded();
  expect(await db.query(counted)).toMatchObject([{ runs: count, recoveries: 0, whole: count }]);
});

test('a cancellation waits for the claim, and is told what became of the run', async () => {
  const [target] = [1_000];
  const { engine } = await interrupt(async (working) => {
    const [row] = await db.query<{ id: string }>('select id from perdure.runs where input = $1', [String(target)]);
    return working.runs.cancel(row?.id ?? '').catch((error: unknown) => error);
  }, true);
  await whenAllEnded();

  const [row] = await db.query<{ id: string; status: string }>('select id, status from perdure.runs where input = $1', [
    String(target),
  ]);
  expect(['succeeded', 'cancelled']).toContain(row?.status);
  expect((await engine.runs.get(row?.id ?? ''))?.status).toBe(row?.status);
});

test('what an executor died of is kept from others until that is counted, and fails past the limit', async () => {
  await db.query('truncate perdure.runs, perdure.steps, perdure.executors');
  const dead = '00000000-0000-7000-8000-000000000001';
  const echo = workflow('echo', async (n: number) => n);
  const ids = await enqueue(echo);
  const noted = ids.slice(0, 2);
  await db.query(
    `insert into perdure.executors (id, host, pid, lease_ms, workflows) values ($1, 'there', 1, 600000, '{echo}')`,
    [dead],
  );
  await db.query('insert into perdure.open_claims (executor, number, run_ids) values ($1, 0, $2)', [dead, noted]);
  await db.query('update perdure.runs set recoveries = 2, crashes = 2 where id = $1', [noted[1]]);
  await db.launchEngine({ ...room, queues, workflows: [echo], maxRecoveries: 2 });
  const left = (): Promise<{ id: string }[]> =>
    db.query<{ id: string }>('select id from perdure.runs where finished_at is null order by input::int');
  await waitFor(left, { what: 'all others to end', timeoutMs: 30_000, until: ({ length }) => length === 2 });
  expect((await left()).map(({ id }) => id)).toEqual(noted);

  await db.query('update perdure.executors set dead_at = now() where id = $1', [dead]);
  await whenAllEnded();
  expect(
    await db.query('select status, recoveries, error from perdure.runs where id = any ($1) order by input::int', [
      noted,
    ]),
  ).toEqual([
    { status: 'succeeded', recoveries: 1, error: null },
    { status: 'failed', recoveries: 3, error: expect.stringContaining('RUN_CRASH_LIMIT') },
  ]);
});

// Driving an engine by hand, as hosts do that freeze or end processes between requests.

import { expect, test } from '@jest/globals';
import { waitFor, waitForBlockedBackend } from '@perdure/testing';
import { queue, runStep, schedule, sleep, workflow } from '../src/index.js';
import { deferred } from './support/deferred.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

const double = workflow('double', async (number: number) => runStep('compute', () => number * 2));

test('a driven engine executes nothing until it is driven, and then everything that is due', async () => {
  const engine = await db.launchEngine({ workflows: [double], driven: true, pollInterval: '20ms' });
  const runs = await Promise.all([1, 2, 3].map((number) => engine.startWorkflow(double, number)));
  await engine.health();
  const before = await Promise.all(runs.map((run) => run.status()));

  const report = await engine.drive({ budget: '20s' });

  expect(before).toEqual(['queued', 'queued', 'queued']);
  expect(report).toEqual({ isIdle: true });
  expect(await Promise.all(runs.map((run) => run.result()))).toEqual([2, 4, 6]);
});

test('a chain of runs is followed to its end in one drive', async () => {
  const chain = workflow('chain', async (left: number): Promise<number> => {
    if (left > 0) await engine.startWorkflow(chain, left - 1, { id: `chain-${left - 1}`, delay: 0 });
    return left;
  });
  const engine = await db.launchEngine({ workflows: [chain], driven: true });
  await engine.startWorkflow(chain, 5, { id: 'chain-5' });

  await engine.drive({ budget: '20s' });

  expect(await engine.getHandle('chain-0').status()).toBe('succeeded');
});

test('a backlog in a queue is worked off in one drive', async () => {
  const jobs = queue('jobs');
  const job = workflow('job', async (number: number) => number);
  const engine = await db.launchEngine({ workflows: [job], queues: [jobs], driven: true });
  const starts = Array.from({ length: 30_000 }, (_, input) => ({ input, queue: jobs }));
  await engine.startWorkflows(job, starts);

  expect(await engine.drive({ budget: '30s' })).toEqual({ isIdle: true });
  expect(await db.query("select from perdure.runs where workflow = 'job' and finished_at is null limit 1")).toEqual([]);
});

test('when the budget is spent, what is left is handed over, to be claimed at once', async () => {
  const endless = workflow('endless', async () => {
    for (;;) await runStep('turn', () => new Promise((resolve) => setTimeout(resolve, 20)));
  });
  const engine = await db.launchEngine({ workflows: [endless], driven: true });
  const run = await engine.startWorkflow(endless);

  expect(await engine.drive({ budget: '1s' })).toEqual({ isIdle: false });

  const [row] = await db.query(`select status, executor, due_at <= now() as is_due from perdure.runs where id = $1`, [
    run.id,
  ]);
  expect(row).toEqual({ status: 'waiting', executor: null, is_due: true });
  await run.cancel();
});

test('a run that is handed over has not got further: the deaths of its owners count on', async () => {
  const hanging = workflow('hanging', async (hangs: boolean) => (hangs ? new Promise(() => undefined) : sleep('1h')));
  const engine = await db.launchEngine({ workflows: [hanging], driven: true });
  const runs = [await engine.startWorkflow(hanging, true), await engine.startWorkflow(hanging, false)];
  await db.query(`update perdure.runs set crashes = 3 where workflow = 'hanging'`);

  await engine.drive({ budget: '1s' });

  expect(await Promise.all(runs.map((run) => run.status()))).toEqual(['waiting', 'waiting']);
  const crashes = `select crashes from perdure.runs where workflow = 'hanging' order by input desc`;
  expect(await db.query(crashes)).toEqual([{ crashes: 3 }, { crashes: 0 }]);
  await Promise.all(runs.map((run) => run.cancel()));
});

test('a run that waits does not keep a drive', async () => {
  const waiting = workflow('waiting', () => sleep('1h'));
  const engine = await db.launchEngine({ workflows: [waiting], driven: true });
  const run = await engine.startWorkflow(waiting);

  expect(await engine.drive({ budget: '20s' })).toEqual({ isIdle: true });
  expect(await run.status()).toBe('waiting');
});

test('a budget that is longer than a timer can be is not spent at once', async () => {
  const [begun, going] = [deferred(), deferred()];
  const long = workflow('long', () => runStep('work', () => (begun.resolve(), going.promise)));
  const engine = await db.launchEngine({ workflows: [long], driven: true });
  await engine.startWorkflow(long);

  const driven = engine.drive({ budget: '30 days' });
  await begun.promise;
  for (let asked = 0; asked < 20; asked++) await db.query('select 1'); // a timer that has overflowed fires meanwhile
  going.resolve();

  expect(await driven).toEqual({ isIdle: true });
});

test('a step that outlasts the budget keeps its run here, and is recorded', async () => {
  const going = deferred<void>();
  const begun = deferred<void>();
  const long = workflow('long', () =>
    runStep('work', async () => {
      begun.resolve();
      await going.promise;
      return 'recorded';
    }),
  );
  const engine = await db.launchEngine({ workflows: [long], driven: true });
  const run = await engine.startWorkflow(long);
  const drive = engine.drive({ budget: '1s' });
  await begun.promise;
  await drive;

  going.resolve();

  await waitFor(() => db.query(`select 1 from perdure.steps where run_id = $1`, [run.id]), {
    what: 'the step to be recorded',
    until: (rows) => rows.length === 1,
  });
  await engine.drive({ budget: '20s' });
  expect(await run.result()).toBe('recorded');
});

test('several drives at once do the work once', async () => {
  const calls: number[] = [];
  const counted = workflow('counted', (number: number) => runStep('count', () => calls.push(number)));
  const engines = [
    await db.launchEngine({ workflows: [counted], driven: true }),
    await db.launchEngine({ workflows: [counted], driven: true }),
  ] as const;
  const [engine, other] = engines;
  await Promise.all(Array.from({ length: 40 }, (_, index) => engine.startWorkflow(counted, index)));

  await Promise.all([engine, engine, other].map((one) => one.drive({ budget: '20s' })));

  expect(calls.sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, index) => index));
});

test('a schedule that is due runs in a drive', async () => {
  const onTick = workflow('tick', async () => undefined);
  const ticking = schedule('ticking', { every: '1s' }, onTick);
  const engine = await db.launchEngine({ workflows: [onTick], schedules: [ticking], driven: true });
  await waitFor(
    async () => {
      await engine.drive({ budget: '5s' });
      return (await engine.runs.list({ workflow: 'tick', status: 'succeeded' })).runs.length;
    },
    { what: 'a tick to have run', until: (count) => count > 0 },
  );

  expect((await engine.runs.list({ workflow: 'tick' })).runs[0]).toMatchObject({ status: 'succeeded' });
});

test('an engine that is not driven goes on after a drive, and a closed one refuses', async () => {
  const engine = await db.launchEngine({ workflows: [double] });
  await engine.drive({ budget: '10s' });
  const run = await engine.startWorkflow(double, 21);

  expect(await run.result()).toBe(42);
  await engine.close();
  await expect(engine.drive({ budget: '1s' })).rejects.toMatchObject({ code: 'ENGINE_CLOSED' });
});

test('runs that a claim brings after the budget is spent are handed over as well', async () => {
  const napping = workflow('napping', () => sleep('50ms'));
  const slow = { workflows: [napping], parkAfter: 0, pollInterval: '5m', lease: '10s' } as const;
  const engine = await db.launchEngine({ ...slow, driven: true });
  const run = await engine.startWorkflow(napping);
  await engine.drive({ budget: '20s' });
  const blocker = await db.connect();
  await blocker.query('begin');
  await blocker.query('select from perdure.executors for update');

  const driving = engine.drive({ budget: '500ms' });
  await waitForBlockedBackend(await db.connect(), { statement: 'full_queues' });
  const report = await driving;
  await blocker.query('commit');

  expect(report).toEqual({ isIdle: false });
  const other = await db.launchEngine(slow);
  await other.getHandle(run.id).result();
});

import { describe, expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { contract, currentRun, runStep, workflow } from '../src/index.js';
import { gate } from './support/gate.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

const heldContract = contract<void, string>('held');

// The same steps as in the child, done at once.
const held = workflow('held', async () => {
  await runStep('prepare', () => 'prepared by the parent');
  await runStep('hold', () => undefined);
  await runStep('finish', () => undefined);
  return 'from the parent';
});

const findSteps = (id: string): Promise<{ name: string; output: string | null; epoch: number }[]> =>
  db.query('select name, output, epoch from perdure.steps where run_id = $1 order by seq', [id]);

describe('the runs of a process that was killed', () => {
  test('go on in another live process without anybody doing anything, and say who runs them [13, 14, 19]', async () => {
    const child = db.spawn('held-worker');
    await child.message('launched');
    const engine = await db.launchEngine();
    const run = await engine.startWorkflow(heldContract, undefined, { id: 'killed' });
    await child.message('holding');
    const before = await engine.runs.get('killed');

    child.kill('SIGKILL');
    await child.exited;
    engine.register(held);

    expect(await run.result()).toBe('from the parent');
    const after = await engine.runs.get('killed');
    expect(after).toMatchObject({ recoveries: 1 });
    expect(after?.epoch).toBeGreaterThan(before?.epoch ?? Infinity);
    expect(after?.executor).not.toBe(before?.executor);
    expect(await db.query('select id::text as id from perdure.executors where dead_at is null')).toEqual([
      { id: after?.executor },
    ]);
    expect((await findSteps('killed')).map(({ output }) => output)).toEqual(['"prepared by the child"', null, null]);
  });
});

describe('a process that was frozen past its lease, and its run taken over,', () => {
  test('has the signal of its step fire, and can record neither step nor outcome [21]', async () => {
    const child = db.spawn('held-worker');
    await child.message('launched');
    const engine = await db.launchEngine();
    const run = await engine.startWorkflow(heldContract, undefined, { id: 'frozen' });
    await child.message('holding');

    child.kill('SIGSTOP');
    engine.register(held);
    expect(await run.result()).toBe('from the parent');
    const known = await findExecutors();
    child.kill('SIGCONT');

    expect(await child.message('aborted')).toMatchObject({ code: 'EXECUTOR_FENCED' });
    child.send('go');
    await child.message('released');
    await waitForRebirth(known);
    expect(await engine.runs.get('frozen')).toMatchObject({ status: 'succeeded', output: 'from the parent' });
    expect((await findSteps('frozen')).map(({ name }) => name)).toEqual(['prepare', 'hold', 'finish']);
    expect(child.lines.join()).not.toContain('finishing');
  });

  test.each(['held', 'brief'])('can record nothing of a %s run that it finishes as it wakes [21]', async (name) => {
    const id = `racing ${name}`;
    const [reached, release] = [gate(), gate<string>()];
    const hold = workflow(name, async () => {
      if (name === 'held') await runStep('prepare', () => '');
      return runStep('hold', async () => (reached.open(), release.opened));
    });
    const child = db.spawn('held-worker');
    await child.message('launched');
    const engine = await db.launchEngine();
    const run = await engine.startWorkflow(contract<void, string>(name), undefined, { id });
    await child.message('holding');
    child.kill('SIGSTOP');
    child.send('go');
    engine.register(hold);
    await reached.opened;
    const before = [await findSteps(id), await engine.runs.get(id)];
    const known = await findExecutors();
    await holdUpHeartbeat();

    child.kill('SIGCONT');

    await child.message('released');
    await waitForRebirth(known);
    expect([await findSteps(id), await engine.runs.get(id)]).toEqual(before);
    release.open('held by the parent');
    expect(await run.result()).toBe('held by the parent');
    expect((await findSteps(id)).at(-1)).toMatchObject({ name: 'hold', output: '"held by the parent"' });
  });

  // The child learns that it is dead by its write, which `for share` lets pass, not by its heartbeat.
  const holdUpHeartbeat = async (): Promise<void> => {
    const blocker = await db.connect();
    await blocker.query('begin');
    await blocker.query('select from perdure.executors where dead_at is not null for share');
  };
  const findExecutors = async (): Promise<string[]> =>
    (await db.query<{ id: string }>('select id::text as id from perdure.executors')).map(({ id }) => id);

  // The child has found out that it was declared dead, and has started again.
  const waitForRebirth = (known: readonly string[]): Promise<unknown> =>
    waitFor(findExecutors, {
      what: 'the child to start again under a new id',
      until: (ids) => ids.some((id) => !known.includes(id)),
    });
});

describe('a run that executes in a live process', () => {
  test('is neither stolen nor started a second time, however long its step and whoever is launched [12, 20]', async () => {
    const executed: number[] = [];
    const release = gate<string>();
    const long = workflow('long', async () =>
      runStep('hold', () => {
        executed.push(currentRun().epoch);
        return release.opened;
      }),
    );
    const engine = await db.launchEngine({ workflows: [long], pollInterval: '10ms' });
    const run = await engine.startWorkflow(long);
    await db.launchEngine({ workflows: [long], pollInterval: '10ms' });

    const isOld = `select from perdure.executors where heartbeat_at > started_at + interval '3 seconds'`;
    await waitFor(() => db.query(isOld), { what: 'three leases to pass', until: (rows) => rows.length === 2 });
    release.open('done');

    expect(await run.result()).toBe('done');
    expect(executed).toEqual([1]);
    expect(await engine.runs.get(run.id)).toMatchObject({ epoch: 1, recoveries: 0 });
  });
});

describe('recovery', () => {
  const dead = '00000000-0000-7000-8000-00000000dead';
  const alive = '00000000-0000-7000-8000-0000000a11fe';

  const insertExecutors = (): Promise<unknown> =>
    db.query(
      `insert into perdure.executors (id, host, pid, lease_ms, heartbeat_at)
       values ($1, 'gone', 1, 1000, now() - interval '1 minute'), ($2, 'there', 2, 3600000, now())
       on conflict (id) do update set dead_at = null, heartbeat_at = excluded.heartbeat_at`,
      [dead, alive],
    );
  const insertRun = (id: string, status: string, executor: string): Promise<unknown> =>
    db.query(
      `insert into perdure.runs (id, workflow, status, executor, epoch, due_at, input, finished_at)
       values ($1, 'idle', $2, $3, 1, case when $2 in ('queued', 'waiting') then now() + interval '1 day' end, 'null',
               case when $2 in ('succeeded', 'failed', 'cancelled') then now() end)`,
      [id, status, executor],
    );
  const idle = workflow('idle', async () => runStep('idle', () => 1));

  test('touches only runs that are running and belong to a dead executor [11]', async () => {
    await insertExecutors();
    const others = ['queued', 'waiting', 'paused', 'succeeded', 'failed', 'cancelled'];
    for (const status of others) await insertRun(`untouched ${status}`, status, dead);
    await insertRun('untouched running', 'running', alive);
    await insertRun('lost', 'running', dead);
    const untouched = `select * from perdure.runs where id like 'untouched%' order by id`;
    const before = await db.query(untouched);

    const engine = await db.launchEngine({ workflows: [idle] });

    expect(await engine.getHandle('lost').result()).toBe(1);
    expect(before).toHaveLength(7);
    expect(await db.query(untouched)).toEqual(before);
  });

  test('leaves alone a run that somebody else takes meanwhile [11]', async () => {
    await insertExecutors();
    await insertRun('contested', 'running', dead);
    await insertRun('free', 'running', dead);
    const rival = await db.connect();
    await rival.query('begin');
    await rival.query(`update perdure.runs set executor = $1, epoch = 2 where id = 'contested'`, [alive]);

    const engine = await db.launchEngine({ workflows: [idle] });
    await engine.getHandle('free').result();
    await rival.query('commit');

    await insertRun('free later', 'running', dead);
    await engine.getHandle('free later').result();
    expect(await engine.runs.get('contested')).toMatchObject({ status: 'running', executor: alive, epoch: 2 });
  });
});

describe('a run that ends its process time and again', () => {
  test('is stopped past the limit, whoever awaits it gets RUN_CRASH_LIMIT, and resuming gives it a fresh budget [15, 17]', async () => {
    const engine = await db.launchEngine({ maxRecoveries: 1 });
    const run = await engine.startWorkflow(contract<number, number>('sequence'), 40, { id: 'poison' });
    const crash = async (): Promise<void> => {
      await db.spawn('crash-worker', { crashAt: 'step:first' }).exited;
    };

    await crash();
    await crash();

    const error = await perdureErrorOf(run.result(), 'RUN_CRASH_LIMIT');
    expect(error.message).toContain('run "poison" lost its process 2 times');
    expect(await run.status()).toBe('failed');
    expect(await engine.runs.resume('poison')).toBe(true);
    await crash();
    db.spawn('crash-worker');
    expect(await engine.getHandle('poison').result()).toBe(43);
  });

  test('goes on as long as it gets further between the deaths [15]', async () => {
    const engine = await db.launchEngine({ maxRecoveries: 1 });
    const run = await engine.startWorkflow(contract<number, number>('sequence'), 40, { id: 'tedious' });
    for (const crashAt of ['step:first', 'step:second', 'step:third'])
      await db.spawn('crash-worker', { crashAt }).exited;
    db.spawn('crash-worker');

    expect(await run.result()).toBe(43);
    expect(await engine.runs.get('tedious')).toMatchObject({ recoveries: 3 });
  });

  test('runs nowhere once it was stopped [15]', async () => {
    const engine = await db.launchEngine({ maxRecoveries: 0 });
    const run = await engine.startWorkflow(contract<number, number>('sequence'), 40, { id: 'stopped' });
    await db.spawn('crash-worker', { crashAt: 'step:first' }).exited;
    await perdureErrorOf(run.result(), 'RUN_CRASH_LIMIT');

    const healthy = db.spawn('crash-worker');
    const other = await engine.startWorkflow(contract<number, number>('sequence'), 1, { id: 'healthy' });

    expect(await other.result()).toBe(4);
    expect(healthy.lines.filter((line) => line.includes('stopped'))).toEqual([]);
    expect(await engine.startWorkflow(contract('sequence'), 40, { id: 'stopped' })).toMatchObject({ isNew: false });
    expect(await run.status()).toBe('failed');
  });
});

test('thousands of runs of a dead process are recovered no more at a time than fit, and the event loop goes on [22]', async () => {
  let [executing, most, longestLagMs] = [0, 0, 0];
  const busy = workflow('busy', async () =>
    runStep('work', async () => {
      most = Math.max(most, ++executing);
      await new Promise(setImmediate);
      executing -= 1;
    }),
  );
  await db.query(
    `insert into perdure.executors (id, host, pid, lease_ms, heartbeat_at)
     values ('00000000-0000-7000-8000-0000000c1055', 'gone', 1, 1000, now() - interval '1 minute')`,
  );
  await db.query(
    `insert into perdure.runs (id, workflow, status, executor, epoch, input, started_at)
     select 'mass ' || n, 'busy', 'running', '00000000-0000-7000-8000-0000000c1055', 1, 'null', now()
     from generate_series(1, 3000) n`,
  );
  let last = performance.now();
  const lagMeter = setInterval(() => {
    longestLagMs = Math.max(longestLagMs, performance.now() - last - 10);
    last = performance.now();
  }, 10);

  await db.launchEngine({ workflows: [busy], maxConcurrentRuns: 50, lease: '3s' });
  const unfinished = `select from perdure.runs where workflow = 'busy' and status <> 'succeeded' limit 1`;
  await waitFor(() => db.query(unfinished), {
    what: 'all runs',
    until: (rows) => rows.length === 0,
    timeoutMs: 25_000,
  });

  clearInterval(lagMeter);
  expect(most).toBeLessThanOrEqual(50);
  expect(most).toBeGreaterThan(5);
  expect(longestLagMs).toBeLessThan(1_000);
});

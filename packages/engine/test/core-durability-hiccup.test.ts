// What was committed, or not, when the connection was lost before the answer: the engine asks instead of guessing.

import { afterEach, describe, expect, test } from '@jest/globals';
import { contract, queue, runStep, sleep, workflow, type Engine } from '../src/index.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { batchStatement, startTcpProxy, type CutMoment, type TcpProxy } from './support/tcp-proxy.js';
import { useEngineDatabase, type TestEngineOptions } from './support/test-engine.js';

const db = useEngineDatabase();
let proxy: TcpProxy | undefined;

afterEach(async () => {
  await proxy?.stop();
  await db.query('drop function if exists public.dawdle cascade');
});

async function launchThroughProxy(options: TestEngineOptions): Promise<{ engine: Engine; proxy: TcpProxy }> {
  proxy = await startTcpProxy(db.engineUrl);
  return { engine: await db.launchEngine({ lease: '10s', ...options, database: proxy.url }), proxy };
}

const findRows = (id: string): Promise<unknown[]> =>
  db.query(
    `select r.status, r.epoch, r.recoveries, array_agg(s.name order by s.seq) filter (where s.name is not null) as steps
     from perdure.runs r left join perdure.steps s on s.run_id = r.id where r.id = $1 group by r.id`,
    [id],
  );

const moments: readonly CutMoment[] = ['before', 'during', 'after'];

describe.each(moments)('when the connection is lost %s the commit', (moment) => {
  test('of a start with an id, the caller gets its run, which is executed once [3]', async () => {
    const executed: string[] = [];
    const greet = workflow('greet', async (name: string) => runStep('greet', () => executed.push(name)));
    const { engine, proxy } = await launchThroughProxy({ workflows: [greet] });
    const cut = proxy.cut(moment, batchStatement, `start ${moment}`);

    const run = await engine.startWorkflow(greet, 'Ada', { id: `start ${moment}` });

    await cut;
    expect(run.isNew).toBe(true);
    expect(await run.result()).toBe(1);
    expect(executed).toEqual(['Ada']);
    expect(await findRows(run.id)).toEqual([{ status: 'succeeded', epoch: 1, recoveries: 0, steps: ['greet'] }]);
  });

  test('of a start without an id, the caller gets its run, which is executed once [3]', async () => {
    const executed: string[] = [];
    const greet = workflow('greet', async (name: string) => runStep('greet', () => executed.push(name)));
    const { engine, proxy } = await launchThroughProxy({ workflows: [greet] });
    const cut = proxy.cut(moment, batchStatement, `Grace ${moment}`);

    const run = await engine.startWorkflow(greet, `Grace ${moment}`);

    await cut;
    expect(await run.result()).toBe(1);
    expect(executed).toEqual([`Grace ${moment}`]);
    expect(await findRows(run.id)).toEqual([{ status: 'succeeded', epoch: 1, recoveries: 0, steps: ['greet'] }]);
  });

  test('of a start that is finished already, the result is recorded once [3]', async () => {
    const instant = workflow('instant', async (name: string) => `Hello ${name}`);
    const { engine, proxy } = await launchThroughProxy({ workflows: [instant] });
    const cut = proxy.cut(moment, batchStatement, `Edsger ${moment}`);

    const run = await engine.startWorkflow(instant, `Edsger ${moment}`);

    await cut;
    expect(await run.result()).toBe(`Hello Edsger ${moment}`);
    expect(await findRows(run.id)).toEqual([{ status: 'succeeded', epoch: 1, recoveries: 0, steps: null }]);
  });

  test('of a start that others execute, they execute it once [3]', async () => {
    const executed: string[] = [];
    const greet = workflow('greet elsewhere', async (name: string) => runStep('greet', () => executed.push(name)));
    const { engine, proxy } = await launchThroughProxy({});
    await db.launchEngine({ workflows: [greet], pollInterval: '50ms' });
    const cut = proxy.cut(moment, batchStatement, `elsewhere ${moment}`);

    const run = await engine.startWorkflow(contract<string, number>('greet elsewhere'), 'Ada', {
      id: `elsewhere ${moment}`,
    });

    await cut;
    expect([run.isNew, await run.result(), executed]).toEqual([true, 1, ['Ada']]);
  });

  test('of a start in a queue that was paused elsewhere meanwhile, the run is new, and waits in line [3]', async () => {
    const greet = workflow('greet in line', async () => 'Hello');
    const line = queue(`paused ${moment}`);
    const { engine, proxy } = await launchThroughProxy({ workflows: [greet], queues: [line] });
    await db.query(`update perdure.queues set is_paused = true where name = $1`, [line.name]);
    const cut = proxy.cut(moment, batchStatement, `in line ${moment}`);

    const run = await engine.startWorkflow(greet, undefined, { id: `in line ${moment}`, queue: line });

    await cut;
    expect([run.isNew, await run.status()]).toEqual([true, 'queued']);
    await engine.queues.resume(line);
    expect(await run.result()).toBe('Hello');
  });

  test('of many starts, each run is told to be new if it was not there before [3]', async () => {
    const greet = contract<number, string>('greeted by nobody');
    const { engine, proxy } = await launchThroughProxy({});
    await engine.startWorkflow(greet, 0, { id: `many ${moment} 0` });
    const cut = proxy.cut(moment, /perdure_insert_runs|started as \(/, `many ${moment} 2`);

    const runs = await engine.startWorkflows(
      greet,
      [0, 1, 2].map((n) => ({ input: n, id: `many ${moment} ${n}` })),
    );

    await cut;
    expect(runs.map(({ isNew }) => isNew)).toEqual([false, true, true]);
  });

  test('of the places in line of a large bulk, all of it is started [3]', async () => {
    const greet = contract<number, string>('greeted by nobody');
    const { engine, proxy } = await launchThroughProxy({});
    const cut = proxy.cut(moment, /perdure_next_positions|array_agg\(nextval/);

    const starts = Array.from({ length: 1_001 }, (_, n) => ({ input: n, id: `large ${moment} ${n}` }));
    const runs = await engine.startWorkflows(greet, starts);

    await cut;
    expect(runs.filter(({ isNew }) => isNew)).toHaveLength(1_001);
  });

  test('of a step, the step is executed once and recorded once [3]', async () => {
    const executed: string[] = [];
    const shop = workflow('shop', async () => {
      const first = await runStep('first', () => executed.push('first'));
      return first + (await runStep('second', () => executed.push('second')));
    });
    const { engine, proxy } = await launchThroughProxy({ workflows: [shop] });
    const cut = proxy.cut(moment, batchStatement, `step ${moment}`, 'first');

    const run = await engine.startWorkflow(shop, undefined, { id: `step ${moment}` });

    expect(await run.result()).toBe(3);
    await cut;
    expect(executed).toEqual(['first', 'second']);
    expect(await findRows(run.id)).toEqual([
      { status: 'succeeded', epoch: 1, recoveries: 0, steps: ['first', 'second'] },
    ]);
  });

  test('of an outcome, the caller gets that outcome [3]', async () => {
    const fail = workflow('fail', async () => {
      await runStep('first', () => 1);
      throw new RangeError(`out of reach ${moment}`);
    });
    const { engine, proxy } = await launchThroughProxy({ workflows: [fail] });
    const cut = proxy.cut(moment, batchStatement, `out of reach ${moment}`);

    const run = await engine.startWorkflow(fail, undefined, { id: `outcome ${moment}` });

    await expect(run.result()).rejects.toThrow(new RangeError(`out of reach ${moment}`));
    await cut;
    expect(await findRows(run.id)).toEqual([{ status: 'failed', epoch: 1, recoveries: 0, steps: ['first'] }]);
  });

  test('of a failed attempt, the next attempt is the second, and there are as many as allowed [3]', async () => {
    const attempts: string[] = [];
    const flaky = workflow('flaky', async () =>
      runStep('try', () => Promise.reject(new Error(`attempt ${attempts.push('tried')} ${moment}`)), {
        retry: { maxAttempts: 3, delay: '1ms' },
      }),
    );
    const { engine, proxy } = await launchThroughProxy({ workflows: [flaky] });
    const cut = proxy.cut(moment, /perdure_insert_attempt|into "perdure".step_attempts/, `attempt 1 ${moment}`);

    const run = await engine.startWorkflow(flaky, undefined, { id: `attempt ${moment}` });

    const error = await perdureErrorOf(run.result(), 'STEP_RETRIES_EXHAUSTED');
    await cut;
    expect(error.errors).toHaveLength(3);
    expect(await findRows(run.id)).toEqual([{ status: 'failed', epoch: 1, recoveries: 0, steps: ['try'] }]);
  });

  test('of a park, the run wakes at its time and goes on once [3]', async () => {
    const executed: string[] = [];
    const nap = workflow('nap', async () => {
      await runStep('before', () => executed.push('before'));
      await sleep('300ms');
      return runStep('after', () => executed.push('after'));
    });
    const { engine, proxy } = await launchThroughProxy({ workflows: [nap], parkAfter: 0, pollInterval: '50ms' });
    const cut = proxy.cut(moment, /perdure_park_runs|p \(id, epoch, due_at/, `park ${moment}`);

    const run = await engine.startWorkflow(nap, undefined, { id: `park ${moment}` });

    expect(await run.result()).toBe(2);
    await cut;
    expect(executed).toEqual(['before', 'after']);
  });

  test('of a claim, the run is executed, once, without its owner having to die [3]', async () => {
    const executed: string[] = [];
    const later = workflow('later', async (name: string) => runStep('run', () => executed.push(name)));
    const { engine, proxy } = await launchThroughProxy({ workflows: [later], lease: '1 minute' });
    const run = await engine.startWorkflow(later, `claim ${moment}`, { delay: '500ms' });

    await proxy.cut(moment, /perdure_claim_due|claimed as \(/);

    expect(await run.result()).toBe(1);
    expect(executed).toEqual([`claim ${moment}`]);
  });
});

test('a start of a finished run that meets a lost answer is not executed again [3, 7]', async () => {
  const executed: string[] = [];
  const greet = workflow('greet', async (name: string) => {
    executed.push(`workflow ${name}`);
    return runStep('greet', () => executed.push(`step ${name}`));
  });
  const { engine, proxy } = await launchThroughProxy({ workflows: [greet] });
  await (await engine.startWorkflow(greet, 'first', { id: 'finished' })).result();
  const cut = proxy.cut('after', batchStatement, 'finished');

  const again = await engine.startWorkflow(greet, 'second', { id: 'finished' });

  await cut;
  expect(again.isNew).toBe(false);
  expect(await again.result()).toBe(2);
  expect(executed).toEqual(['workflow first', 'step first']);
});

test('a start whose id another workflow has is RUN_ID_CONFLICT, also when the answer is lost [3, 56]', async () => {
  const { engine, proxy } = await launchThroughProxy({});
  await engine.startWorkflow(contract('one'), undefined, { id: 'contested' });
  const cut = proxy.cut('after', batchStatement, 'contested');

  await perdureErrorOf(engine.startWorkflow(contract('other'), undefined, { id: 'contested' }), 'RUN_ID_CONFLICT');

  await expect(cut).resolves.toBeUndefined();
});

describe('a commit that is still under way when the engine asks for it', () => {
  test.each([
    ['start', 'insert on perdure.runs', 'slow start'],
    ['step', 'insert on perdure.steps', 'greeted'],
    ['outcome', 'update of status on perdure.runs', 'done'],
  ])('is found in the end: the %s counts once, and its step is executed once [3]', async (name, event, text) => {
    const executed: string[] = [];
    const greet = workflow('greet', async () => {
      await runStep('greet', () => [executed.push('greet'), 'greeted']);
      await sleep(1);
      return 'done';
    });
    const { engine, proxy } = await launchThroughProxy({ workflows: [greet] });
    await makeCommitsSlow(event);
    const cut = proxy.cut('during', batchStatement, text);

    const run = await engine.startWorkflow(greet, undefined, { id: `slow ${name}` });

    expect([run.isNew, await run.result(), executed]).toEqual([true, 'done', ['greet']]);
    await cut;
    expect(await findRows(run.id)).toEqual([
      { status: 'succeeded', epoch: 1, recoveries: 0, steps: ['greet', 'sleep'] },
    ]);
  });

  test('is found in the end, also when the start that was sent again has given up waiting for it [3]', async () => {
    const executed: string[] = [];
    const greet = workflow('greet', async () => runStep('greet', () => executed.push('greet')));
    const { engine, proxy } = await launchThroughProxy({ workflows: [greet] });
    await makeCommitsSlow('insert on perdure.runs', 2);
    const cut = proxy.cut('during', batchStatement, 'very slow start');

    const run = await engine.startWorkflow(greet, undefined, { id: 'very slow start' });

    await cut;
    expect([run.isNew, await run.result(), executed]).toEqual([true, 1, ['greet']]);
  });

  test('is found in the end, also when what the run does next has overtaken its start [3]', async () => {
    const nap = workflow('nap', async (name: string) => {
      await sleep(1);
      return name;
    });
    const { engine, proxy } = await launchThroughProxy({ workflows: [nap], lease: '1 minute' });
    await makeCommitsSlow('insert on perdure.runs', 2);
    const cut = proxy.cut('during', batchStatement, 'overtaken');

    const run = await engine.startWorkflow(nap, 'overtaken');

    await cut;
    expect([run.isNew, await run.result()]).toEqual([true, 'overtaken']);
  });
});

// A commit with this event takes 300 ms, as with a slow disk or a synchronous replica.
async function makeCommitsSlow(event: string, seconds = 0.3): Promise<void> {
  await db.query(`create function public.dawdle() returns trigger language plpgsql as $$
    begin perform pg_sleep(${seconds}); return null; end $$`);
  await db.query(`create constraint trigger dawdle after ${event} deferrable initially deferred
    for each row execute function public.dawdle()`);
}

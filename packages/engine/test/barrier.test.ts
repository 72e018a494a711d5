// The effect barrier: a result may reach workflow code before it is durable, but no user function of the run starts until
// it is. A lock on the executor's row holds the journal's commits back.

import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { runStep, sleep, startWorkflow, workflow } from '../src/index.js';
import { deferred } from './support/deferred.js';
import { blocked } from './support/locks.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
// The lock holds heartbeats back as well.
const patient = { lease: '20s', pollInterval: '50ms' } as const;

/** Lets no batch of any executor commit; returns how to let them. */
async function holdCommits(): Promise<() => Promise<void>> {
  const client = await db.connect();
  await client.query('begin');
  await client.query('select from perdure.executors for update');
  return async () => {
    await client.query('commit');
  };
}

test('no user function starts while a result that the code has got is not durable [185]', async () => {
  const [charged, seen] = [deferred(), deferred<string>()];
  const started: string[] = [];
  const order = workflow('order', async () => {
    const charge = await runStep('charge', async () => charged.promise.then(() => 'charged'));
    seen.resolve(charge);
    await runStep('ship', () => started.push('ship'));
  });
  const engine = await db.launchEngine({ workflows: [order], ...patient });
  const run = await engine.startWorkflow(order);
  const letCommit = await holdCommits();

  charged.resolve();
  await seen.promise;
  await blocked(db, 'finish');
  const startedEarly = [...started];
  await letCommit();
  await run.result();

  expect(startedEarly).toEqual([]);
  expect(started).toEqual(['ship']);
});

test('the barrier holds the steps of all branches of a run, and of no other run [185]', async () => {
  const [first, second] = [deferred(), deferred()];
  const started: string[] = [];
  const branches = workflow('branches', async () => {
    const branch = async (name: string, gate: Promise<void>): Promise<void> => {
      await runStep(`before ${name}`, () => gate);
      started.push(`code after ${name}`);
      await runStep(`after ${name}`, () => started.push(`after ${name}`));
    };
    await Promise.all([branch('one', first.promise), branch('two', second.promise)]);
  });
  const other = workflow('other run', () => runStep('other', () => void started.push('other')));
  const engine = await db.launchEngine({ workflows: [branches, other], ...patient });
  const [run, beside] = [
    await engine.startWorkflow(branches),
    await engine.startWorkflow(other, undefined, { delay: '1h' }),
  ];
  const letCommit = await holdCommits();

  first.resolve();
  await blocked(db, 'finish');
  second.resolve();
  await waitFor(() => started.length === 2, { what: 'both branches to have their results' });
  const startedEarly = [...started];
  await letCommit();
  await run.result();

  expect(startedEarly).toEqual(['code after one', 'code after two']);
  expect(started.slice(2).toSorted()).toEqual(['after one', 'after two']);
  expect(await beside.status()).toBe('queued');
});

test('a step in flight goes on while the result of another waits to become durable [185]', async () => {
  const [first, finished] = [deferred(), deferred()];
  const trace: string[] = [];
  const beside = workflow('beside', async () => {
    const slow = runStep('slow', async () => {
      await finished.promise;
      trace.push('slow ended');
    });
    await runStep('quick', () => first.promise);
    await slow;
  });
  const engine = await db.launchEngine({ workflows: [beside], ...patient });
  const run = await engine.startWorkflow(beside);
  const letCommit = await holdCommits();
  first.resolve();
  await blocked(db, 'finish');

  finished.resolve();
  await waitFor(() => trace.length === 1, { what: 'the slow step to end' });
  await letCommit();

  await run.result();
  expect((await engine.runs.steps(run.id)).map(({ name }) => name)).toEqual(['quick', 'slow']);
});

test('no child is inserted before what its parent was told is durable [185]', async () => {
  const gate = deferred();
  const child = workflow('child behind', () => gate.promise);
  const parent = workflow('parent before', async () => {
    await runStep('first', () => undefined);
    await startWorkflow(child, undefined, { id: 'child-behind' });
  });
  const engine = await db.launchEngine({ workflows: [child, parent] });

  const run = await engine.startWorkflow(parent);
  await run.result();

  // Transaction ids grow, and one transaction is one batch.
  const [step] = await db.query<{ batch: string }>(
    `select xmin::text as batch from perdure.steps where run_id = $1 and name = 'first'`,
    [run.id],
  );
  const [row] = await db.query<{ batch: string }>(
    `select xmin::text as batch from perdure.runs where id = 'child-behind'`,
  );
  gate.resolve();
  expect(Number(row?.batch)).toBeGreaterThan(Number(step?.batch));
});

test('the last step of a run and its outcome share one commit', async () => {
  const short = workflow('short', () => runStep('only', () => 1));
  const engine = await db.launchEngine({ workflows: [short] });

  const run = await engine.startWorkflow(short);
  await run.result();

  const [row] = await db.query<{ shared: boolean }>(
    `select s.xmin = r.xmin as shared from perdure.runs r join perdure.steps s on s.run_id = r.id where r.id = $1`,
    [run.id],
  );
  expect(row).toEqual({ shared: true });
});

test('nobody hears of an outcome before it is durable', async () => {
  const charged = deferred();
  const order = workflow('outcome held', () => runStep('charge', () => charged.promise));
  const engine = await db.launchEngine({ workflows: [order], ...patient });
  const run = await engine.startWorkflow(order);
  const letCommit = await holdCommits();
  const told = { isTold: false };
  const result = run.result().then(() => (told.isTold = true));

  charged.resolve();
  await blocked(db, 'finish');
  const toldEarly = told.isTold;
  await letCommit();
  await result;

  expect([toldEarly, told.isTold]).toEqual([false, true]);
});

test('the checkpoints of one run commit in their order, also when both lanes of the journal are busy [186]', async () => {
  const runsAtOnce = 600;
  const busy = workflow('busy', async () => {
    const branch = async (): Promise<void> => {
      for (let i = 0; i < 4; i++) await runStep('s', () => 'x'.repeat(100));
    };
    await Promise.all([branch(), branch(), sleep(1)]);
  });
  const engine = await db.launchEngine({ workflows: [busy], maxConcurrentRuns: runsAtOnce });

  const runs = await Promise.all(Array.from({ length: runsAtOnce }, () => engine.startWorkflow(busy)));
  await Promise.all(runs.map((run) => run.result()));

  const [row] = await db.query(
    `select count(*)::int as steps, count(*) filter (where batch < batch_before)::int as disordered,
            (select count(distinct xmin::text)::int from perdure.steps where name = 's') < 4000 as is_batched
     from (select s.xmin::text::bigint as batch,
                  lag(s.xmin::text::bigint) over (partition by s.run_id order by s.seq) as batch_before
           from perdure.steps s join perdure.runs r on r.id = s.run_id where r.workflow = 'busy') s`,
  );
  expect(row).toEqual({ steps: runsAtOnce * 9, disordered: 0, is_batched: true });
});

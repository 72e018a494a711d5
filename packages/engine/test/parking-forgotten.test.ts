// Waiters that a statement which ends runs could not see: a note stands in the database until they are woken, so that the process
// which ended the runs may die before it wakes them.

import { expect, test } from '@jest/globals';
import { sleep, startWorkflow, workflow, type Engine } from '../src/index.js';
import { Database } from '../src/store/database.js';
import { recoverRuns } from '../src/store/executors.js';
import { blocked, lockRun } from './support/locks.js';
import { awaiting, parked } from './support/parked.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

test('a waiter that the end did not see is woken although the process dies before it looks again [183]', async () => {
  const place: { engine?: Engine } = {};
  const waiter = awaiting('waiter-forgotten', () => place.engine as Engine);
  const here = (place.engine = await db.launchEngine({ workflows: [waiter], parkAfter: 0 }));
  const child = db.spawn('ending-pair', { crashAt: 'before:perdure_wake_waiters' });
  await child.message('started');
  const unlock = await lockRun(db, 'pair-held');
  child.kill('SIGTERM'); // both ends go as one statement, which cannot change the first row
  await blocked(db, 'finish');

  const run = await here.startWorkflow(waiter, 'pair-target');
  await parked(here, run.id);
  await unlock();

  expect(await run.result()).toBe('seen');
  expect((await child.exited).signal).toBe('SIGKILL');
  expect(await db.query('select 1 from perdure.unwoken')).toEqual([]);
});

test('a waiter that a cancellation did not see is woken although the process dies before it looks again', async () => {
  const child = workflow('child-of-cancelled', () => sleep('1h'));
  const target = workflow('cancelled-with-child', async () => {
    await startWorkflow(child, undefined, { id: 'a child, locked first' });
    await sleep('1h');
  });
  const place: { engine?: Engine } = {};
  const waiter = awaiting('waiter-of-dying-canceller', () => place.engine as Engine);
  const here = (place.engine = await db.launchEngine({ workflows: [child, target, waiter], parkAfter: 0 }));
  const { id } = await here.startWorkflow(target, undefined, { id: 'cancelled with a child' });
  await parked(here, id);
  const canceller = db.spawn('cancelling', { args: [id], crashAt: 'before:perdure_wake_waiters' });
  await canceller.message('started');
  const unlock = await lockRun(db, 'a child, locked first');
  canceller.kill('SIGTERM');
  await blocked(db, 'cancel');

  const run = await here.startWorkflow(waiter, id);
  await parked(here, run.id);
  await unlock();

  await expect(run.result()).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
  expect((await canceller.exited).signal).toBe('SIGKILL');
  expect(await db.query('select 1 from perdure.unwoken')).toEqual([]);
});

test('the end of a run that has crashed its owners too often leaves a note of waiters that it does not wake', async () => {
  const dead = '00000000-0000-7000-8000-00000000dead';
  await db.query(
    `insert into perdure.executors (id, host, pid, lease_ms, workflows, heartbeat_at, dead_at)
     values ($1, 'here', 1, 1000, '{}', now(), now())`,
    [dead],
  );
  await db.query(
    `insert into perdure.runs (id, workflow, status, executor, epoch, input, crashes, awaited_by)
     values ('crashes', 'any', 'running', $1, 3, 'null', 3, '{sees nobody}'), ('sees nobody', 'any', 'paused', null, 1, 'null', 0, null)`,
    [dead],
  );
  const timeouts = { connectTimeoutMs: 10_000, silenceMs: 30_000, vitalSilenceMs: 6_000 };
  const database = await Database.open({ connection: db.url, schema: 'perdure', poolSize: 1, ...timeouts });

  await recoverRuns(database, { limit: 10, maxRecoveries: 3, crashLimitError: '{}' });
  await database.close();

  expect(await db.query('select run_id from perdure.unwoken')).toEqual([{ run_id: 'crashes' }]);
});

test('a run that lives long does not collect whoever has ever waited for it', async () => {
  const target = workflow('lives-long', () => sleep('1h'));
  const place: { engine?: Engine } = {};
  const waiter = awaiting('waits-for-long', () => place.engine as Engine);
  const engine = (place.engine = await db.launchEngine({ workflows: [target, waiter], parkAfter: 0 }));
  await engine.startWorkflow(target, undefined, { id: 'lives long' });
  const first = await engine.startWorkflow(waiter, 'lives long', { id: 'an early waiter' });
  await parked(engine, first.id);
  await db.query(`with gone as (
      insert into perdure.runs (id, workflow, status, input, finished_at)
      select 'gone ' || n, 'waits-for-long', 'cancelled', 'null', now() from generate_series(1, 63) n returning id)
    update perdure.runs set awaited_by = awaited_by || array(select id from gone) where id = 'lives long'`);

  const last = await engine.startWorkflow(waiter, 'lives long', { id: 'a late waiter' });
  await parked(engine, last.id);

  const [row] = await db.query(`select awaited_by from perdure.runs where id = 'lives long'`);
  expect(row).toEqual({ awaited_by: ['a late waiter', 'an early waiter'] });
  await engine.runs.cancel('lives long');
  await expect(first.result()).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
  await expect(last.result()).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
});

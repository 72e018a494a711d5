// An executor that works must not look dead, whatever its statements wait for.

import { expect, test } from '@jest/globals';
import { waitFor, waitForBlockedBackend } from '@perdure/testing';
import { runStep, sleep, workflow } from '../src/index.js';
import { gate } from './support/gate.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const lease = '500ms';

/** Resolves when the database's clock has advanced by `ms`: what is to happen by itself in that time has had its chance. */
async function pass(ms: number): Promise<void> {
  const [row] = await db.query<{ until: Date }>(`select clock_timestamp() + $1 * interval '1 ms' as until`, [ms]);
  await waitFor(() => db.query('select where clock_timestamp() > $1', [row?.until]), {
    what: `${ms} ms to pass`,
    until: ({ length }) => length === 1,
  });
}

test('an executor whose other statements wait for a lock goes on giving signs of life [20]', async () => {
  const finish = gate();
  const job = workflow('alive', () => runStep('work', () => finish.opened));
  const waiting = workflow('locked', () => sleep('1 day'));
  const busy = await db.launchEngine({ workflows: [job, waiting], lease, poolSize: 1 });
  await db.launchEngine({ lease });
  const [run, locked] = [await busy.startWorkflow(job), await busy.startWorkflow(waiting)];
  const [holder, observer] = [await db.connect(), await db.connect()];
  await holder.query('begin');
  await holder.query('select from perdure.runs where id = $1 for update', [locked.id]);

  const cancelled = busy.runs.cancel(locked.id);
  await waitForBlockedBackend(observer, { statement: 'cancelled' });
  await pass(1_500);
  finish.open();
  await run.result();
  await holder.query('rollback');
  await cancelled;

  expect(await busy.runs.get(run.id)).toMatchObject({ epoch: 1, recoveries: 0, status: 'succeeded' });
});

test('an executor that recovers the runs of others does not look dead meanwhile [20, 22]', async () => {
  const finish = gate();
  const job = workflow('recovering', () => runStep('work', () => finish.opened));
  const busy = await db.launchEngine({ workflows: [job], lease, maxRecoveries: 0 });
  const run = await busy.startWorkflow(job);
  const [holder, observer] = [await db.connect(), await db.connect()];
  await holder.query(
    `insert into perdure.runs (id, workflow, status, input) values ('waiter', 'nobodys', 'waiting', 'null')`,
  );
  await holder.query('begin');
  await holder.query(`select from perdure.runs where id = 'waiter' for update`);
  await db.query(`
    with dead as (
      insert into perdure.executors (id, host, pid, lease_ms, dead_at) values (gen_random_uuid(), '', 0, 1000, now()) returning id
    )
    insert into perdure.runs (id, workflow, status, input, executor, awaited_by)
    select 'crashed', 'nobodys', 'running', 'null', id, '{waiter}' from dead`);

  await waitForBlockedBackend(observer, { statement: 'recovered as' });
  await db.launchEngine({ lease });
  await pass(1_500);
  finish.open();
  await run.result();
  await holder.query('rollback');

  expect(await busy.runs.get(run.id)).toMatchObject({ epoch: 1, recoveries: 0, status: 'succeeded' });
});

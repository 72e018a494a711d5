// A process that was frozen for longer than its lease, and thaws when others have taken its runs over.

import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { contract } from 'perdure';
import { setTimeout as delay } from 'node:timers/promises';
import { useDurableDatabase } from './support/durable-database.js';

const db = useDurableDatabase();
const lease = { lease: '1s' } as const;

test('nothing that a thawed owner writes is accepted, its signals fire, and it works on under a new id [21, 49, 98, 189]', async () => {
  const client = await db.launchEngine(lease);
  const zombie = db.spawnWorker(lease);
  await zombie.message('ready');
  const run = await client.startWorkflow(contract<undefined, string[]>('zombie'), undefined);
  await zombie.message('holding');
  const before = await client.runs.get(run.id);

  zombie.kill('SIGSTOP');
  const heir = db.spawnWorker(lease);
  const result = await run.result();
  await delay(3_000 - 1_000); // in all, it is frozen for three leases or more
  zombie.kill('SIGCONT');
  const aborted = await zombie.message('aborted');
  heir.kill('SIGKILL');
  await heir.exited;
  const next = await client.startWorkflow(contract<undefined, { pid: number }>('whoami'), undefined);

  expect((await next.result()).pid).toBe(zombie.pid);
  expect(result).toEqual(['heir', 'heir', 'heir']);
  expect(aborted).toMatchObject({ code: 'EXECUTOR_FENCED' });
  expect((await client.runs.get(next.id))?.executor).not.toBe(before?.executor);
  const recorded = 'select distinct epoch > 1 as is_heirs, output from perdure.steps where run_id = $1';
  expect(await db.query(recorded, [run.id])).toEqual([{ is_heirs: true, output: '"heir"' }]);
});

test('a frozen process that thaws within its lease keeps its runs [20, 189]', async () => {
  const client = await db.launchEngine({ lease: '20s' });
  const [owner, other] = [db.spawnWorker({ lease: '20s' }), db.spawnWorker({ lease: '20s' })];
  await Promise.all([owner.message('ready'), other.message('ready')]);
  const run = await client.startWorkflow(contract<{ n: number; pauseMs: number }, number>('chain'), {
    n: 40,
    pauseMs: 20,
  });
  const { pid } = await waitFor(async () => (await db.query<{ pid: number }>('select pid from effects'))[0], {
    what: 'the first step',
  });

  const frozen = pid === owner.pid ? owner : other;
  frozen.kill('SIGSTOP');
  await delay(2_000);
  frozen.kill('SIGCONT');

  expect(await run.result()).toBe(40);
  expect(await client.runs.get(run.id)).toMatchObject({ epoch: 1, recoveries: 0 });
});

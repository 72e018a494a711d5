// Two processes that use one id at once: whoever comes second must not touch the run of the first.

import { expect, test } from '@jest/globals';
import { waitFor, waitForBlockedBackend } from '@perdure/testing';
import type pg from 'pg';
import { runStep, workflow, type Engine } from '../src/index.js';
import { gate } from './support/gate.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

/** Makes every write of other executors than that of `owner` wait until the transaction ends. */
async function holdOthers(owner: Engine, runId: string): Promise<pg.Client> {
  const run = await owner.runs.get(runId);
  const client = await db.connect();
  await client.query('begin');
  await client.query('select from perdure.executors where id <> $1 for update', [run?.executor]);
  return client;
}

test('the deadline of a start whose id is taken does not cancel the run that has it [6, 68]', async () => {
  const finish = gate();
  const job = workflow('deadline', () => runStep('work', () => finish.opened.then(() => 'first')));
  const [owner, other] = [await db.launchEngine({ workflows: [job] }), await db.launchEngine({ workflows: [job] })];
  const run = await owner.startWorkflow(job, undefined, { id: 'taken' });
  await waitFor(async () => (await owner.runs.get('taken'))?.executor, { what: 'the first run to be recorded' });

  const held = await holdOthers(owner, 'taken');
  const second = other.startWorkflow(job, undefined, { id: 'taken', timeout: 50 });
  await waitForBlockedBackend(await db.connect(), { statement: 'started as' });
  await new Promise((resolve) => setTimeout(resolve, 200)); // nothing tells that a deadline has passed
  await held.query('commit');
  const handle = await second;
  finish.open();

  expect(await run.result()).toBe('first');
  expect(handle.isNew).toBe(false);
});

test('an engine that closes while it starts a taken id does not release the run that has it [12, 170]', async () => {
  const finish = gate();
  let calls = 0;
  const job = workflow('closing', () => runStep('work', () => (calls++, finish.opened)));
  const [owner, other] = [await db.launchEngine({ workflows: [job] }), await db.launchEngine({ workflows: [job] })];
  const run = await owner.startWorkflow(job, undefined, { id: 'kept' });

  const held = await holdOthers(owner, 'kept');
  const second = other.startWorkflow(job, undefined, { id: 'kept' });
  await waitForBlockedBackend(await db.connect(), { statement: 'started as' });
  const closed = other.close();
  await held.query('commit');
  await Promise.all([second, closed]);
  finish.open();
  await run.result();

  expect(await owner.runs.get('kept')).toMatchObject({ epoch: 1, status: 'succeeded' });
  expect(calls).toBe(1);
});

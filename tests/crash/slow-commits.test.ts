// Commits that the server holds back, as with a stalled disk or a standby that does not answer, while connections are lost.

import { afterEach, expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { contract, runStep, workflow } from 'perdure';
import { useDurableDatabase } from './support/durable-database.js';

const db = useDurableDatabase();

afterEach(() => holdCommits(false));

/** Has commits wait for a standby that does not exist; reading and what was committed before goes on. */
async function holdCommits(isHeld: boolean): Promise<void> {
  await db.query(`alter system set synchronous_standby_names = '${isHeld ? 'nobody' : ''}'`);
  await db.query('select pg_reload_conf()');
}

async function waitForHeldClaims(count: number): Promise<void> {
  const held = `select from pg_stat_activity where wait_event = 'SyncRep' and query like '%full_queues as materialized%'`;
  await waitFor(() => db.query(held), { what: `${count} claim(s) to wait`, until: ({ length }) => length === count });
}

test('a run whose claim commits long after its connection was lost is not left behind [191]', async () => {
  const proxy = await db.startProxy();
  const job = workflow('claimed late', () => runStep('work', () => 'done'));
  const starter = await db.launchEngine({ lease: '1m' });
  const run = await starter.startWorkflow(contract<undefined, string>('claimed late'), undefined);
  const engine = await db.launchEngine({ database: proxy.url, lease: '1m', listen: false, pollInterval: '50ms' });

  await holdCommits(true);
  engine.register(job);
  await waitForHeldClaims(1);
  proxy.cut();
  await waitForHeldClaims(2); // the second finds nothing: the first has locked the run
  await holdCommits(false);
  const heldUntil = performance.now();

  expect(await run.result()).toBe('done');
  expect(performance.now() - heldUntil).toBeLessThan(10_000);
});

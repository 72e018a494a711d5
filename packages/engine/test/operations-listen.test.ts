// Notifications make things quick and nothing else: they may be lost, forged, or never come.

import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { currentStep, runStep, workflow, type Engine } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const double = workflow('double', (n: number) => runStep('double', () => 2 * n));

const listeners = `
select pid from pg_stat_activity where datname = current_database() and query ilike 'listen %'`;

/** A worker and a starter that hear of each other by notifications, or too late for the test. */
async function launchPair(): Promise<{ readonly worker: Engine; readonly starter: Engine }> {
  const worker = await db.launchEngine({ listen: true, pollInterval: '1m', workflows: [double] });
  const starter = await db.launchEngine({ listen: true, pollInterval: '1m' });
  await waitFor(() => db.query(listeners), { what: 'both to listen', until: ({ length }) => length === 2 });
  return { worker, starter };
}

test('a lost LISTEN connection is replaced, and notifications arrive again [167]', async () => {
  const { starter } = await launchPair();

  const lost = await db.query<{ pid: number }>(`select pid, pg_terminate_backend(pid) from (${listeners}) l`);
  await waitFor(() => db.query<{ pid: number }>(listeners), {
    what: 'two new listening connections',
    until: (found) => found.length === 2 && !found.some(({ pid }) => lost.some((old) => old.pid === pid)),
  });
  const run = await starter.startWorkflow(double, 21);

  expect(await run.result()).toBe(42);
});

test('what was notified while nobody listened is found when somebody listens again [167]', async () => {
  const { starter } = await launchPair();

  await db.query(`select pg_terminate_backend(pid) from (${listeners}) l`);
  const run = await starter.startWorkflow(double, 21);

  expect(await run.result()).toBe(42);
});

test('an engine that is closed while its LISTEN connection is lost opens no other [167, 174]', async () => {
  const { worker, starter } = await launchPair();

  await db.query(`select pg_terminate_backend(pid) from (${listeners}) l`);
  await Promise.all([worker.close(), starter.close()]);

  const isOver = ({ length }: readonly unknown[]): boolean => length === 0;
  expect(await waitFor(() => db.query(listeners), { what: 'no connection to listen', until: isOver })).toEqual([]);
});

test('notifications that are not ours do no harm [167]', async () => {
  const { starter } = await launchPair();
  const forged = ['', 'x', 'null', '[1]', '{"ended":[""],"cut":["",7],"due":"yes"}', '{"ended":{},"cut":null}'];

  for (const payload of forged) await db.query('select pg_notify($1, $2)', ['perdure_perdure', payload]);
  const run = await starter.startWorkflow(double, 21);

  expect(await run.result()).toBe(42);
});

test('without LISTEN, starts, results and cancellations pass between processes by polling [167]', async () => {
  let signal: AbortSignal | undefined;
  const endless = workflow('endless', () =>
    runStep('wait', () => ({ signal } = currentStep()) && new Promise<void>(() => undefined)),
  );
  const polling = { listen: false, pollInterval: '50ms' } as const;
  await db.launchEngine({ ...polling, workflows: [double, endless] });
  const starter = await db.launchEngine(polling);

  const result = await (await starter.startWorkflow(double, 21)).result();
  const run = await starter.startWorkflow(endless);
  await waitFor(() => signal, { what: 'the step to begin' });
  await run.cancel();

  await waitFor(() => signal?.aborted, { what: "the step's signal to fire" });
  expect(result).toBe(42);
});

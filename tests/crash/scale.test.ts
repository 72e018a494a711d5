// Processes come and go under load, in an orderly way and with default configuration.

import { expect, test } from '@jest/globals';
import { type SpawnedProcess } from '@perdure/testing';
import { contract, type RunHandle } from 'perdure';
import { setTimeout as delay } from 'node:timers/promises';
import { scenarios, type Input } from './programs/workflows.js';
import { useDurableDatabase } from './support/durable-database.js';
import { findSecondExecutions } from './support/effects.js';

const db = useDurableDatabase();

test('scaling out and in under load executes no step twice [20, 190]', async () => {
  const client = await db.launchEngine({ lease: '6s' });
  const names = Object.keys(scenarios);
  const runs: { readonly name: string; readonly n: number; readonly run: RunHandle<number> }[] = [];
  const load = new AbortController();
  const loaded = (async () => {
    for (let n = 0; !load.signal.aborted; n += 1) {
      const name = names[n % names.length] ?? '';
      runs.push({ name, n, run: await client.startWorkflow(contract<Input, number>(name), { n, pauseMs: 100 }) });
      await delay(25);
    }
  })();

  const workers: SpawnedProcess[] = [];
  for (let count = 0; count < 4; count += 1) {
    workers.push(db.spawnWorker());
    await workers.at(-1)?.message('ready');
    await delay(500);
  }
  for (const worker of workers.slice(0, 3)) {
    worker.kill('SIGTERM');
    await worker.message('closed');
    await delay(500);
  }
  load.abort();
  await loaded;

  const outcomes = await Promise.all(
    runs.map(async ({ name, n, run }) => ({ name, n, outcome: await run.result().catch((e: Error) => e.message) })),
  );
  expect(outcomes.filter(({ name, n, outcome }) => outcome !== scenarios[name]?.(n))).toEqual([]);
  expect(await findSecondExecutions(db)).toEqual([]);
  expect(await db.query('select id from perdure.runs where recoveries > 0')).toEqual([]);
});

// How soon the runs of a process that has gone are carried on by another.

import { expect, test } from '@jest/globals';
import { waitFor, type SpawnedProcess } from '@perdure/testing';
import { contract } from 'perdure';
import type { Input } from './programs/workflows.js';
import { useDurableDatabase } from './support/durable-database.js';
import { findRepetitions, findSecondExecutions } from './support/effects.js';
import type { WorkerOptions } from './support/worker-options.js';

const db = useDurableDatabase();
const chain = contract<Input, number>('chain');

interface Takeover {
  /** From the signal to the first step in the other process, by the database's clock. */
  readonly seconds: number;
}

/** Has one of two workers execute a run step by step, sends it a signal, and waits for the other to go on. */
async function takeOver(signal: 'SIGKILL' | 'SIGTERM', options: WorkerOptions): Promise<Takeover> {
  const client = await db.launchEngine();
  const workers = [db.spawnWorker(options), db.spawnWorker(options)];
  await Promise.all(workers.map((worker) => worker.message('ready')));
  await client.startWorkflow(chain, { n: 1_000, pauseMs: 50 });
  const effect = await waitFor(async () => (await db.query<{ pid: number }>('select pid from effects'))[0], {
    what: 'the first step',
  });
  const owner = workers.find(({ pid }) => pid === effect.pid) as SpawnedProcess;

  const [before] = await db.query<{ now: Date }>('select clock_timestamp() as now');
  owner.kill(signal);
  const { seconds } = await waitFor(
    async () =>
      (
        await db.query<{ seconds: number }>(
          'select extract(epoch from min(at) - $2)::float8 as seconds from effects where pid <> $1 having count(*) > 0',
          [owner.pid, before?.now],
        )
      )[0],
    { what: 'the first step in the other process', timeoutMs: 20_000 },
  );
  return { seconds };
}

test('a peer goes on with the runs of a killed process within 10 s at defaults [8, 19, 188]', async () => {
  const { seconds } = await takeOver('SIGKILL', {});

  expect(seconds).toBeLessThan(10);
  expect(await findRepetitions(db)).toEqual([]);
});

test('a peer goes on with the runs of a killed process within 3 s with a lease of 1 s [8, 19, 188]', async () => {
  const { seconds } = await takeOver('SIGKILL', { lease: '1s' });

  expect(seconds).toBeLessThan(3);
  expect(await findRepetitions(db)).toEqual([]);
});

test('a peer goes on with the runs of a process that closes within 1 s at defaults [170, 188]', async () => {
  const { seconds } = await takeOver('SIGTERM', {});

  expect(seconds).toBeLessThan(1);
  expect(await findSecondExecutions(db)).toEqual([]);
});

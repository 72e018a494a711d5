// Wall clocks that are wrong: what counts is the time of the database.

import { expect, test } from '@jest/globals';
import { contract } from 'perdure';
import type { Input } from './programs/workflows.js';
import { useDurableDatabase } from './support/durable-database.js';

const db = useDurableDatabase();
const pauseMs = 1_500;

test('with clocks that are ten minutes ahead and behind, no timer is early, and none is late by a second [77, 193]', async () => {
  const client = await db.launchEngine();
  const minutes = 60_000;
  const workers = [10, -10].map((ahead) =>
    db.spawnWorker({ lease: '1s', parkAfter: '500ms', clockAheadMs: ahead * minutes }),
  );
  await Promise.all(workers.map((worker) => worker.message('ready')));

  const inputs = Array.from({ length: 20 }, (_, n) => ({ n, pauseMs }));
  const runs = await Promise.all(inputs.map((input) => client.startWorkflow(contract<Input>('timers'), input)));
  await Promise.all(runs.map((run) => run.result()));
  const delayed = await db.query<{ id: string }>(`select id from perdure.runs where workflow = 'delayed'`);
  await Promise.all(delayed.map(({ id }) => client.getHandle(id).result()));

  const late = await db.query<{ slept: number; delayed: number }>(
    `select extract(epoch from a.at - b.at) * 1000 - $1 as slept, extract(epoch from d.at - s.at) * 1000 - $1 as delayed
     from effects b
     join effects a on a.run = b.run and a.step = 'after'
     join effects s on s.run = b.run and s.step = 'started'
     join effects d on d.run = b.run || '/delayed'
     where b.step = 'before'`,
    [pauseMs],
  );
  expect(late).toHaveLength(20);
  const lateness = late.flatMap(({ slept, delayed: started }) => [Number(slept), Number(started)]);
  // The wait begins a little before or after what was noted: between noting and recording.
  expect(Math.min(...lateness)).toBeGreaterThan(-200);
  expect(Math.max(...lateness)).toBeLessThan(1_000);
  expect(await db.query('select pid from effects group by pid')).toHaveLength(2);
  expect(await db.query('select id from perdure.runs where recoveries > 0')).toEqual([]);
});

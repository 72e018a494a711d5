// Leaving memory: when a run parks, that its code notices nothing of it, and that timers fire when they are due.

import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { runStep, sleep, workflow } from '../src/index.js';
import { deferred } from './support/deferred.js';
import { parked } from './support/parked.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

/** Makes a sleeping run's time pass: everything in its past is moved into the past by that much. */
async function letTimePass(id: string, interval: string): Promise<void> {
  await db.query(
    `update perdure.runs set due_at = due_at - $2::interval, started_at = started_at - $2::interval where id = $1`,
    [id, interval],
  );
  await db.query(
    `update perdure.steps set started_at = started_at - $2::interval, finished_at = finished_at - $2::interval where run_id = $1`,
    [id, interval],
  );
}

test('a sleep longer than parkAfter leaves memory at once, and the row says when it is due', async () => {
  const napping = workflow('napping', () => sleep('1h'));
  const engine = await db.launchEngine({ workflows: [napping] });

  const run = await engine.startWorkflow(napping);
  await parked(engine, run.id);

  const info = await engine.runs.get(run.id);
  expect(info?.dueAt?.getTime()).toBe((info?.startedAt?.getTime() ?? 0) + 3_600_000);
});

test('a sleep shorter than parkAfter stays in memory', async () => {
  const brief = workflow('brief', () => sleep(50));
  const engine = await db.launchEngine({ workflows: [brief], parkAfter: '10s' });

  const run = await engine.startWorkflow(brief);
  await run.result();

  expect((await engine.runs.get(run.id))?.epoch).toBe(1);
});

test('a long sleep in one branch keeps no other branch from going on', async () => {
  const ready = deferred();
  const steps = workflow('steps-beside-a-sleep', async () => {
    const branch = async (): Promise<void> => {
      for (const name of ['one', 'two', 'three']) await runStep(name, () => undefined);
      await runStep('ready', ready.resolve);
    };
    await Promise.all([sleep('1h'), branch()]);
  });
  const engine = await db.launchEngine({ workflows: [steps] });

  const run = await engine.startWorkflow(steps);

  await ready.promise;
  await parked(engine, run.id);
  expect((await engine.runs.steps(run.id)).map(({ name }) => name)).toEqual(['one', 'two', 'three', 'ready']);
});

test('neither catch nor finally around a wait runs when the run parks [180]', async () => {
  const trace: string[] = [];
  const guarded = workflow('guarded-park', async () => {
    try {
      trace.push('waiting');
      await sleep('1h');
    } catch {
      trace.push('catch');
    } finally {
      trace.push('finally');
    }
  });
  const engine = await db.launchEngine({ workflows: [guarded], pollInterval: '50ms' });

  const run = await engine.startWorkflow(guarded);
  await parked(engine, run.id);
  await letTimePass(run.id, '59 minutes 59.9 seconds');
  await run.result();

  expect(trace).toEqual(['waiting', 'waiting', 'finally']);
});

test('a parked run takes no place among those in memory [29]', async () => {
  const napping = workflow('napping-place', () => sleep('1h'));
  const quick = workflow('quick-place', async () => 'done');
  const engine = await db.launchEngine({ workflows: [napping, quick], maxConcurrentRuns: 1 });
  const nap = await engine.startWorkflow(napping);
  await parked(engine, nap.id);

  const run = await engine.startWorkflow(quick);

  expect(await run.result()).toBe('done');
});

test('a timer that came due while nobody lived fires once, at the next claim [184]', async () => {
  const fired: string[] = [];
  const timer = workflow('timer', async () => {
    await sleep('1h');
    await runStep('fire', () => fired.push('fired'));
  });
  const first = await db.launchEngine({ workflows: [timer] });
  const { id } = await first.startWorkflow(timer, undefined, { id: 'timer-1' });
  await parked(first, id);
  await first.close();
  await letTimePass(id, '2h');

  const engines = await Promise.all([1, 2, 3].map(() => db.launchEngine({ workflows: [timer] })));
  await Promise.all(engines.map((engine) => engine.getHandle(id).result()));

  expect(fired).toEqual(['fired']);
});

test('a timer whose wait parks for less than the poll interval fires in time', async () => {
  const timer = workflow('short-park', () => sleep(400));
  const engine = await db.launchEngine({ workflows: [timer], parkAfter: 20, pollInterval: '20s' });

  const run = await engine.startWorkflow(timer);
  await run.result();

  const { epoch, startedAt, finishedAt } = (await engine.runs.get(run.id)) ?? {};
  expect(epoch).toBe(2);
  expect((finishedAt?.getTime() ?? 0) - (startedAt?.getTime() ?? 0)).toBeLessThan(2_000);
});

test('a sleep that spans a park ends when it was to end, not later by the time that it was away [77]', async () => {
  const timer = workflow('punctual', async () => {
    await runStep('before', () => undefined);
    await sleep('1h');
  });
  const engine = await db.launchEngine({ workflows: [timer], pollInterval: '50ms' });
  const run = await engine.startWorkflow(timer);
  await parked(engine, run.id);
  await letTimePass(run.id, '30 minutes');
  await db.query(`update perdure.runs set due_at = now() where id = $1`, [run.id]); // woken early, for no reason

  await waitFor(() => engine.runs.get(run.id), {
    what: 'the run to park again',
    until: (info) => info?.status === 'waiting' && info.epoch === 2,
  });

  const { dueAt, startedAt } = (await engine.runs.get(run.id)) ?? {};
  const [before] = await engine.runs.steps(run.id);
  expect(dueAt?.getTime()).toBe((before?.finishedAt.getTime() ?? 0) + 3_600_000);
  expect(dueAt?.getTime()).toBeGreaterThan(startedAt?.getTime() ?? Infinity);
});

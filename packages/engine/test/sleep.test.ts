// Sleeping: exact lengths, odd lengths, long lengths, and what cuts a sleep short.

import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { currentRun, now, runStep, sleep, sleepUntil, workflow } from '../src/index.js';
import { parked } from './support/parked.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

const day = 24 * 60 * 60 * 1000;

test('a sleep lasts as long as it says, and is recorded once [77]', async () => {
  const sleeper = workflow('as-long-as', async () => {
    const before = now();
    await sleep(200);
    return now().getTime() - before.getTime();
  });
  const engine = await db.launchEngine({ workflows: [sleeper] });

  const run = await engine.startWorkflow(sleeper);

  const sleptMs = await run.result();
  expect(sleptMs).toBeGreaterThanOrEqual(200);
  expect(sleptMs).toBeLessThan(1_000);
  expect(await engine.runs.steps(run.id)).toMatchObject([{ name: 'sleep', kind: 'sleep' }]);
});

test('a parked sleep ends on time, not at the next poll [77]', async () => {
  const sleeper = workflow('parked-on-time', async () => {
    await sleep(300);
    return currentRun().epoch;
  });
  const engine = await db.launchEngine({ workflows: [sleeper], parkAfter: 0, pollInterval: '1h' });

  const run = await engine.startWorkflow(sleeper);

  expect(await run.result()).toBe(2);
  const { createdAt, finishedAt } = (await engine.runs.get(run.id)) ?? {};
  expect(Number(finishedAt) - Number(createdAt)).toBeLessThan(1_500);
});

test('sleeps in parallel last as long as the longest', async () => {
  const sleeper = workflow('parallel', async () => {
    const before = now();
    await Promise.all([sleep(300), sleep(100), sleep('0.2s')]);
    return now().getTime() - before.getTime();
  });
  const engine = await db.launchEngine({ workflows: [sleeper], parkAfter: '150ms' });

  const run = await engine.startWorkflow(sleeper);

  const sleptMs = await run.result();
  expect(sleptMs).toBeGreaterThanOrEqual(300);
  expect(sleptMs).toBeLessThan(600);
});

test.each([0, -0, -1, -Infinity, 0.4, 1.6, 0.1 + 0.2, '0ms', '1.5ms'])(
  'a sleep of %p ends, and replays [78]',
  async (duration) => {
    let replays = 0;
    const sleeper = workflow(`odd sleep ${Object.is(duration, -0) ? '-0' : duration}`, async () => {
      replays += 1;
      await sleep(duration);
      await runStep('between', () => undefined);
      await sleep(150); // parks, so that all before it is replayed
      return 'awake';
    });
    const engine = await db.launchEngine({ workflows: [sleeper], parkAfter: '50ms' });

    const run = await engine.startWorkflow(sleeper);

    expect(await run.result()).toBe('awake');
    expect(replays).toBe(2);
    expect((await engine.runs.steps(run.id)).map(({ kind }) => kind)).toEqual(['sleep', 'step', 'sleep']);
  },
);

test.each([NaN, Infinity, '', '-1s', 'tomorrow', '1 month'])(
  'a sleep of %p is refused where it is called [78]',
  async (duration) => {
    const sleeper = workflow(`refused sleep ${duration}`, () => sleep(duration));
    const engine = await db.launchEngine({ workflows: [sleeper] });

    const run = await engine.startWorkflow(sleeper);

    await expect(run.result()).rejects.toMatchObject({ code: 'DURATION_INVALID', details: { value: duration } });
  },
);

test('a sleep until a moment that has passed is no wait [78]', async () => {
  const sleeper = workflow('until-past', async () => {
    await sleepUntil(new Date(0));
    await sleepUntil(-1);
    await sleepUntil(new Date(-8.64e15));
    return 'awake';
  });
  const engine = await db.launchEngine({ workflows: [sleeper] });

  const run = await engine.startWorkflow(sleeper);

  expect(await run.result()).toBe('awake');
});

test.each([new Date(NaN), NaN, Infinity, 8.64e15 + 1])(
  'a sleep until %p, which is no date, is refused where it is called [78]',
  async (moment) => {
    const sleeper = workflow(`until ${String(moment)} ${typeof moment}`, () => sleepUntil(moment));
    const engine = await db.launchEngine({ workflows: [sleeper] });

    const run = await engine.startWorkflow(sleeper);

    await expect(run.result()).rejects.toMatchObject({ code: 'OPTION_INVALID', details: { option: 'sleepUntil' } });
  },
);

test.each([2 ** 31 - 1, 2 ** 31, 2 ** 32 + 7, '36500000 days'])(
  'a sleep of %p parks until then, and does not end at once [79]',
  async (duration) => {
    const sleeper = workflow(`long sleep ${duration}`, () => sleep(duration));
    const engine = await db.launchEngine({ workflows: [sleeper] });

    const run = await engine.startWorkflow(sleeper);

    const { dueAt, createdAt } = await parked(engine, run.id);
    const ms = typeof duration === 'number' ? duration : 36_500_000 * day;
    expect(Number(dueAt)).toBe(Number(createdAt) + ms);
  },
);

test('a sleep of more than 2^31 milliseconds that stays in memory does not end at once [79]', async () => {
  const sleeper = workflow('long-in-memory', () =>
    Promise.race([
      sleep('60 days'),
      runStep('work', () => new Promise((resolve) => setTimeout(resolve, 200, 'worked'))),
    ]),
  );
  const engine = await db.launchEngine({ workflows: [sleeper], parkAfter: '1000 days' });

  const run = await engine.startWorkflow(sleeper);

  expect(await run.result()).toBe('worked');
});

test('a sleep until the last moment that a date can hold parks until then [79]', async () => {
  const sleeper = workflow('until-the-end', () => sleepUntil(new Date(8.64e15)));
  const engine = await db.launchEngine({ workflows: [sleeper] });

  const run = await engine.startWorkflow(sleeper);

  expect((await parked(engine, run.id)).dueAt).toEqual(new Date(8.64e15));
});

test.each([
  ['in memory', '1h'],
  ['parked', 0],
])('cancelling cuts a sleep %s at once, and the code never goes on [80]', async (place, parkAfter) => {
  const reached: string[] = [];
  const sleeper = workflow(`cut ${place}`, async () => {
    try {
      await runStep('fall asleep', () => undefined);
      await sleep('30m');
      reached.push('went on');
    } catch {
      reached.push('caught');
    } finally {
      reached.push('cleaned up');
    }
  });
  const engine = await db.launchEngine({ workflows: [sleeper], parkAfter });
  const run = await engine.startWorkflow(sleeper);
  await waitFor(() => engine.runs.steps(run.id), { what: 'the sleep', until: (steps) => steps.length === 1 });
  if (place === 'parked') await parked(engine, run.id);

  await run.cancel();

  await expect(run.result()).rejects.toMatchObject({ code: 'RUN_CANCELLED', details: { id: run.id } });
  expect(reached).toEqual([]);
  expect(await engine.runs.get(run.id)).toMatchObject({ status: 'cancelled', dueAt: undefined });
});

test('a sleep that was cut goes on when the run is resumed, for the rest of its time [80]', async () => {
  const sleeper = workflow('cut-and-resumed', async () => {
    const before = now();
    await sleep(400);
    return now().getTime() - before.getTime();
  });
  const engine = await db.launchEngine({ workflows: [sleeper] });
  const run = await engine.startWorkflow(sleeper);
  await run.cancel();

  await engine.runs.resume(run.id);

  const sleptMs = await engine.getHandle(run.id, sleeper).result();
  expect(sleptMs).toBeGreaterThanOrEqual(400);
});

// Time that passes on command, on a real database: whatever waits in a run, and what is due in between.

import { expect, test } from '@jest/globals';
import {
  event,
  getEvent,
  isPerdureError,
  now,
  receive,
  runStep,
  schedule,
  sleep,
  topic,
  workflow,
  type RunHandle,
} from 'perdure';
import { createTestEngine } from '../src/index.js';

const day = 86_400_000;

const reminder = workflow('reminder', async (times: number) => {
  const at: Date[] = [now()];
  for (let time = 0; time < times; time++) {
    await sleep('1 day');
    at.push(now());
  }
  return at;
});

async function codeOf(run: RunHandle<unknown>): Promise<string> {
  return run.result().then(
    () => 'no error',
    (error: unknown) => (isPerdureError(error) ? error.code : String(error)),
  );
}

test('a run that sleeps goes on when the time has passed, and not before', async () => {
  const { engine, clock, waitForStatus } = await createTestEngine({ workflows: [reminder] });
  const run = await engine.startWorkflow(reminder, 1);
  await waitForStatus(run, 'waiting');

  await clock.advance('23 hours');
  const early = await run.status();
  await clock.advance('1 hour');

  expect([early, await run.status()]).toEqual(['waiting', 'succeeded']);
});

test('a year of days passes one after the other', async () => {
  const { engine, clock } = await createTestEngine({ workflows: [reminder] });
  const run = await engine.startWorkflow(reminder, 30);

  await clock.advance('365 days');

  const at = await run.result();
  const lateMs = at.map((moment, days) => moment.getTime() - (at[0]?.getTime() ?? NaN) - days * day);
  expect(at).toHaveLength(31);
  expect(Math.max(...lateMs)).toBeLessThan(60_000);
});

test('a single wait of 365 days takes no time', async () => {
  const year = workflow('year', async () => sleep('365 days'));
  const { engine, clock } = await createTestEngine({ workflows: [year] });
  const before = await clock.now();
  const run = await engine.startWorkflow(year);

  const due = await clock.advanceToNextTimer();

  await run.result();
  expect((due?.getTime() ?? NaN) - before.getTime()).toBeGreaterThanOrEqual(365 * day);
  expect(await clock.advanceToNextTimer()).toBeUndefined();
});

test('timeouts of receive and getEvent pass, inside of a run and outside', async () => {
  const [approval, progress] = [topic<string>('approval'), event<number>('progress')];
  const asking = workflow('asking', async (id: string) => [
    await receive(approval, { timeout: '2 days' }),
    await getEvent(id, progress, { timeout: '5 days' }),
  ]);
  const { engine, clock, waitForStatus } = await createTestEngine({ workflows: [asking] });
  const run = await engine.startWorkflow(asking, 'asking', { id: 'asking' });
  await waitForStatus(run, 'waiting');
  const outside = engine.getEvent(run.id, progress, { timeout: '6 days' });

  await clock.advance('8 days');

  expect([await run.result(), await outside]).toEqual([[undefined, undefined], undefined]);
});

test('a message in time ends the wait', async () => {
  const approval = topic<string>('approval');
  const asking = workflow('asking', async () => receive(approval, { timeout: '2 days' }));
  const { engine, clock } = await createTestEngine({ workflows: [asking] });
  const run = await engine.startWorkflow(asking);
  await clock.advance('47 hours');

  await engine.send(run.id, approval, 'yes');

  expect(await run.result()).toBe('yes');
});

test('a run is cancelled at its deadline, also when it sleeps for longer', async () => {
  const { engine, clock } = await createTestEngine({ workflows: [reminder] });
  const run = await engine.startWorkflow(reminder, 10, { timeout: '36 hours' });

  await clock.advance('2 days');

  expect(await codeOf(run)).toBe('RUN_TIMED_OUT');
});

test('retries wait for hours and pass', async () => {
  const retry = { maxAttempts: 4, delay: '1h', backoff: 3, maxDelay: '1d', jitter: false } as const;
  const stubborn = workflow('stubborn', async () =>
    runStep('call', () => Promise.reject(new Error('not yet')), { retry }),
  );
  const { engine, clock } = await createTestEngine({ workflows: [stubborn] });
  const run = await engine.startWorkflow(stubborn);

  await clock.advance('12h'); // after 1, 4 and 13 hours
  const early = await run.status();
  await clock.advance('1h');

  expect([early, await codeOf(run)]).toEqual(['waiting', 'STEP_RETRIES_EXHAUSTED']);
});

test('a delayed start comes at its time', async () => {
  const { engine, clock } = await createTestEngine({ workflows: [reminder] });
  const before = await clock.now();
  const run = await engine.startWorkflow(reminder, 0, { delay: '10 days' });

  await clock.advance('11 days');

  const [at] = await run.result();
  const lateMs = (at?.getTime() ?? NaN) - before.getTime() - 10 * day;
  expect(lateMs).toBeGreaterThanOrEqual(0);
  expect(lateMs).toBeLessThan(60_000);
});

test('each tick of a schedule is started at its own time, at the hour of its zone when the clocks change', async () => {
  const nightly = workflow('nightly', async () => now());
  const schedules = [schedule('nightly', '30 2 * * *', nightly, { timeZone: 'Europe/Berlin' })];
  const startsAt = new Date('2026-10-23T12:00:00Z');
  const { engine, clock } = await createTestEngine({ workflows: [nightly], schedules, startsAt });

  await clock.advanceTo(new Date('2026-10-27T12:00:00Z'));

  const { runs } = await engine.runs.list({ workflow: 'nightly' });
  const ticks = runs.map(({ startedAt }) => startedAt?.toISOString().slice(0, 16)).reverse();
  // Summer time ends in the night to the 25th; half past two comes twice, and counts once.
  expect(ticks).toEqual(['2026-10-24T00:30', '2026-10-25T00:30', '2026-10-26T01:30', '2026-10-27T01:30']);
});

test('tests at the same time have clocks of their own', async () => {
  const days = [1, 10, 100];
  const tests = await Promise.all(days.map(() => createTestEngine({ workflows: [reminder] })));
  const runs = await Promise.all(tests.map(({ engine }) => engine.startWorkflow(reminder, 5)));

  await Promise.all(tests.map(({ clock }, at) => clock.advance(`${days[at] ?? 0} days`)));

  const statuses = await Promise.all(runs.map((run) => run.status()));
  expect(statuses).toEqual(['waiting', 'succeeded', 'succeeded']);
});

test('a step that does not end keeps no time from passing, and its timeout comes', async () => {
  const endless = workflow('endless', async () =>
    runStep('wait', () => new Promise<void>(() => undefined), { timeout: '1 hour' }),
  );
  const { engine, clock } = await createTestEngine({ workflows: [endless] });
  const run = await engine.startWorkflow(endless);

  await clock.advance('1 hour');

  expect(await codeOf(run)).toBe('STEP_TIMED_OUT');
});

test('no engine is taken for dead, however far the time leaps', async () => {
  const { engine, clock, launchAnother } = await createTestEngine({ workflows: [reminder], lease: '1s' });
  const other = await launchAnother();
  const before = [(await engine.health()).executor.id, (await other.health()).executor.id];

  for (const days of [1, 100, 1_000]) await clock.advance(`${days} days`);

  const after = [(await engine.health()).executor.id, (await other.health()).executor.id];
  expect(after).toEqual(before);
});

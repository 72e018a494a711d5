// What is due without a run that waits for it: turns in queues with rates, and the ticks of several schedules.

import { expect, test } from '@jest/globals';
import { now, queue, schedule, workflow } from 'perdure';
import { createTestEngine } from '../src/index.js';

const told = workflow('told', async () => now());

test('a rate limit lets runs go as time passes', async () => {
  const mail = queue('mail', { rateLimit: { limit: 1, per: '1h' } });
  const { engine, clock } = await createTestEngine({ workflows: [told], queues: [mail] });
  const runs = await engine.startWorkflows(
    told,
    [1, 2, 3].map(() => ({ input: undefined, queue: mail })),
  );

  await clock.advance('90 minutes');
  const half = await Promise.all(runs.map((run) => run.status()));
  await clock.advance('1 hour');

  expect(half).toEqual(['succeeded', 'succeeded', 'queued']);
  expect(await runs[2]?.status()).toBe('succeeded');
});

test('in time that skips, a rate limit is no wait', async () => {
  const mail = queue('mail', { rateLimit: { limit: 1, per: '1 day' } });
  const { engine } = await createTestEngine({ workflows: [told], queues: [mail], time: 'skipping' });
  const runs = await engine.startWorkflows(
    told,
    [1, 2, 3].map(() => ({ input: undefined, queue: mail })),
  );

  const at = await Promise.all(runs.map((run) => run.result()));

  const [first, , third] = at.map((moment) => moment.getTime());
  expect(((third ?? NaN) - (first ?? NaN)) / 86_400_000).toBeCloseTo(2, 1);
});

test('two schedules tick in turn, none left out', async () => {
  const schedules = [schedule('hourly', '0 * * * *', told), schedule('often', '30 */6 * * *', told)];
  const startsAt = new Date('2026-06-01T12:10:00Z');
  const { engine, clock } = await createTestEngine({ workflows: [told], schedules, startsAt });

  await clock.advance('12 hours');

  const { runs } = await engine.runs.list({ limit: 100 });
  const ofHourly = runs.filter(({ id }) => id.startsWith('schedule/hourly/'));
  expect([runs.length, ofHourly.length]).toEqual([14, 12]);
  const lateMs = runs.map(({ id, startedAt }) => (startedAt?.getTime() ?? NaN) - Date.parse(id.split('/')[2] ?? ''));
  expect(Math.max(...lateMs)).toBeLessThan(60_000);
});

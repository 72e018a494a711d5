// Time that leaps by itself, while a result is awaited and nothing else goes on.

import { EventEmitter, once } from 'node:events';
import { expect, test } from '@jest/globals';
import { now, receive, runStep, sleep, topic, workflow } from 'perdure';
import { createTestEngine } from '../src/index.js';

test('the result of a month of reminders is there at once', async () => {
  const month = workflow('month', async () => {
    const sent: number[] = [];
    for (let week = 1; week <= 4; week++) {
      await sleep('1 week');
      sent.push(await runStep('remind', () => week));
    }
    return sent;
  });
  const { engine } = await createTestEngine({ workflows: [month], time: 'skipping' });

  const run = await engine.startWorkflow(month);

  expect(await run.result()).toEqual([1, 2, 3, 4]);
});

test('a parent that waits for its children skips with them', async () => {
  const child = workflow('child', async (days: number) => {
    await sleep(`${days} days`);
    return now();
  });
  const parent = workflow('parent', async () => Promise.all([child(2), child(20)]));
  const { engine } = await createTestEngine({ workflows: [parent, child], time: 'skipping' });

  const run = await engine.startWorkflow(parent);

  const [early, late] = await run.result();
  expect((late.getTime() - early.getTime()) / 86_400_000).toBeCloseTo(18, 1);
});

test('time does not leap while nobody awaits a result', async () => {
  const approval = topic<string>('approval');
  const asking = workflow('asking', async () => receive(approval, { timeout: '1 day' }));
  const { engine, clock, waitForStatus } = await createTestEngine({ workflows: [asking], time: 'skipping' });
  const before = await clock.now();
  const run = await engine.startWorkflow(asking);
  await waitForStatus(run, 'waiting');

  await clock.settle();
  await engine.send(run.id, approval, 'yes');

  expect(await run.result()).toBe('yes');
  expect((await clock.now()).getTime() - before.getTime()).toBeLessThan(60_000);
});

test('time does not leap over a step that executes', async () => {
  const signals = new EventEmitter();
  const started = once(signals, 'started');
  const working = workflow('working', async () => {
    const work = runStep('work', async () => {
      const finished = once(signals, 'finished');
      signals.emit('started');
      await finished;
      return 'worked';
    });
    return Promise.race([work, sleep('30 days').then(() => 'slept')]);
  });
  const { engine, clock } = await createTestEngine({ workflows: [working], time: 'skipping' });
  const result = (await engine.startWorkflow(working)).result();
  await started;

  await clock.settle();
  signals.emit('finished');

  expect(await result).toBe('worked');
});

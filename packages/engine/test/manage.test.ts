// Steering runs from outside: cancelling, pausing, resuming and retrying them, one or many.

import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { currentStep, getEvent, event, receive, runStep, sleep, startWorkflow, topic, workflow } from '../src/index.js';
import { gate } from './support/gate.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { statusesOf } from './support/statuses-of.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const word = topic<string>('word');
const ready = event<string>('ready');

test('cancelling a finished run changes nothing [135]', async () => {
  const quick = workflow('quick', async () => 'done');
  const engine = await db.launchEngine({ workflows: [quick] });
  const run = await engine.startWorkflow(quick);
  await run.result();

  expect(await engine.runs.cancel(run.id)).toBe(false);
  expect(await run.status()).toBe('succeeded');
});

test('a run that is cancelled during its last step does not succeed [135]', async () => {
  const began = gate();
  const end = gate();
  const last = workflow('last step', () =>
    runStep('work', async () => {
      began.open();
      await end.opened;
    }),
  );
  const engine = await db.launchEngine({ workflows: [last] });
  const run = await engine.startWorkflow(last);
  await began.opened;

  await run.cancel();
  end.open();

  await perdureErrorOf(run.result(), 'RUN_CANCELLED');
  expect(await engine.runs.steps(run.id)).toEqual([]);
});

test.each([
  [
    'a result',
    async (other: string, engine: { getHandle: (id: string) => { result: () => Promise<unknown> } }) =>
      engine.getHandle(other).result(),
  ],
  ['an event', async (other: string) => getEvent(other, ready)],
  ['a message', async () => receive(word)],
  ['time', async () => sleep('3 days')],
])('cancelling cuts a wait for %s at once [136]', async (name, wait) => {
  const endless = workflow('endless', () => sleep('10 days'));
  const waits = workflow(`waits for ${name}`, (other: string) => wait(other, engine));
  const engine = await db.launchEngine({ workflows: [endless, waits] });
  const other = await engine.startWorkflow(endless);
  const run = await engine.startWorkflow(waits, other.id);
  await waitFor(() => engine.runs.get(run.id), { what: 'the run' });

  expect(await engine.runs.cancel(run.id)).toBe(true);

  await perdureErrorOf(run.result(), 'RUN_CANCELLED');
});

test('a parent that is cancelled while it awaits a child records nothing of it, and gets the result after its resume [137]', async () => {
  const end = gate();
  const child = workflow('slow child', () => runStep('work', () => end.opened.then(() => 'from the child')));
  const parent = workflow('awaiting parent', () => child());
  const engine = await db.launchEngine({ workflows: [child, parent] });
  const run = await engine.startWorkflow(parent);
  await waitFor(async () => (await statusesOf(db, [`${run.id}/slow child`])).length > 0, { what: 'the child' });

  await run.cancel();
  const recorded = await engine.runs.steps(run.id);
  end.open();
  await engine.getHandle(`${run.id}/slow child`).result();
  await engine.runs.resume(run.id);

  expect(recorded).toEqual([]);
  expect(await engine.getHandle(run.id).result()).toBe('from the child');
});

test('cancelling with children ends the whole tree, each run with its own error, and without children only the run [138]', async () => {
  const leaf = workflow('leaf', () => sleep('3 days'));
  const branch = workflow('branch', () => leaf());
  const root = workflow('root', async () => {
    await startWorkflow(leaf);
    await branch();
  });
  const engine = await db.launchEngine({ workflows: [leaf, branch, root] });
  const [all, alone] = await Promise.all([engine.startWorkflow(root), engine.startWorkflow(root)]);
  const treeOf = (id: string): string[] => [id, `${id}/leaf`, `${id}/branch`, `${id}/branch/leaf`];
  await waitFor(() => statusesOf(db, [...treeOf(all.id), ...treeOf(alone.id)]), {
    what: 'both trees',
    until: ({ length }) => length === 8,
  });

  await engine.runs.cancel(all.id, { children: true });
  await engine.runs.cancel(alone.id);

  expect(await statusesOf(db, treeOf(all.id))).toEqual(Array(4).fill('cancelled'));
  expect((await statusesOf(db, treeOf(alone.id))).filter((status) => status === 'cancelled')).toHaveLength(1);
  const error = await perdureErrorOf(engine.getHandle(`${all.id}/branch/leaf`).result(), 'RUN_CANCELLED');
  expect(error.details).toEqual({ id: `${all.id}/branch/leaf` });
});

test('a paused run leaves memory, its signals fire, and after its resume it goes on behind its last step', async () => {
  const began = gate<AbortSignal>();
  const steps: string[] = [];
  const job = workflow('pausable', async () => {
    await runStep('first', () => void steps.push('first'));
    await runStep('second', async () => {
      steps.push('second');
      began.open(currentStep().signal);
      if (steps.length === 2) await new Promise(() => undefined);
    });
  });
  const owner = await db.launchEngine({ workflows: [job] });
  const manager = await db.launchEngine();
  const run = await owner.startWorkflow(job);
  const signal = await began.opened;

  expect(await manager.runs.pause(run.id)).toBe(true);
  await waitFor(() => signal.aborted, { what: 'the signal' });
  const paused = [await run.status(), await manager.runs.pause(run.id)];
  await manager.runs.resume(run.id);

  await run.result();
  expect(paused).toEqual(['paused', false]);
  expect(steps).toEqual(['first', 'second', 'second']);
});

test('a message that comes during a pause is received after it', async () => {
  const job = workflow('paused receiver', () => receive(word));
  const engine = await db.launchEngine({ workflows: [job], parkAfter: 0 });
  const run = await engine.startWorkflow(job);
  await waitFor(() => run.status(), { what: 'the run to wait', until: (status) => status === 'waiting' });

  await engine.runs.pause(run.id);
  await engine.send(run.id, word, 'hello');
  expect(await run.status()).toBe('paused');
  await engine.runs.resume(run.id);

  expect(await run.result()).toBe('hello');
});

test('resuming a finished run is no act, and a missing one is an error [139]', async () => {
  const quick = workflow('quick', async () => 'done');
  const engine = await db.launchEngine({ workflows: [quick] });
  const run = await engine.startWorkflow(quick);
  await run.result();

  expect(await engine.runs.resume(run.id)).toBe(false);
  expect(await engine.runs.retry(run.id)).toBe(false);
  await perdureErrorOf(engine.runs.resume('nobody'), 'RUN_NOT_FOUND');
  await perdureErrorOf(engine.runs.retry('nobody'), 'RUN_NOT_FOUND');
  await perdureErrorOf(engine.runs.pause('nobody'), 'RUN_NOT_FOUND');
  expect(await engine.runs.cancel('nobody')).toBe(false);
});

test('a failed step fails again when the run is resumed, and is executed again when it is retried [139]', async () => {
  const calls: string[] = [];
  const job = workflow('flaky', async () => {
    await runStep('prepare', () => void calls.push('prepare'));
    return runStep(
      'charge',
      () => {
        calls.push('charge');
        if (calls.length < 4) throw new Error('declined');
        return 'charged';
      },
      { retry: { maxAttempts: 2, delay: 0 } },
    );
  });
  const engine = await db.launchEngine({ workflows: [job] });
  const run = await engine.startWorkflow(job);
  await expect(run.result()).rejects.toMatchObject({ code: 'STEP_RETRIES_EXHAUSTED' });

  await engine.runs.resume(run.id);
  await waitFor(() => run.status(), { what: 'the run to fail again', until: (status) => status === 'failed' });
  const beforeRetry = [...calls];
  expect(await engine.runs.retry(run.id)).toBe(true);

  expect(await engine.getHandle(run.id).result()).toBe('charged');
  expect(beforeRetry).toEqual(['prepare', 'charge', 'charge']);
  expect(calls).toEqual(['prepare', 'charge', 'charge', 'charge']);
});

test('retry keeps a failure that the code has gone past [139]', async () => {
  let isBroken = true;
  const calls: string[] = [];
  const job = workflow('compensated', async () => {
    await runStep('charge', () => {
      calls.push('charge');
      throw new Error('declined');
    }).catch(() => runStep('refund', () => void calls.push('refund')));
    if (isBroken) throw new Error('a fault of the workflow itself');
  });
  const engine = await db.launchEngine({ workflows: [job] });
  const run = await engine.startWorkflow(job);
  await expect(run.result()).rejects.toThrow('a fault of the workflow itself');

  isBroken = false;
  await engine.runs.retry(run.id);

  await engine.getHandle(run.id).result();
  expect(calls).toEqual(['charge', 'refund']);
});

test('many runs are cancelled and resumed in one act [144]', async () => {
  const job = workflow('one of many', () => sleep('3 days'));
  const engine = await db.launchEngine({ workflows: [job] });
  const ids = await Promise.all(Array.from({ length: 20 }, async () => (await engine.startWorkflow(job)).id));

  const cancelled = await engine.runs.cancelMany([...ids, 'nobody']);
  const resumed = await engine.runs.resumeMany(ids);

  expect([...cancelled].sort()).toEqual([...ids].sort());
  expect(resumed).toEqual(ids);
  await waitFor(() => statusesOf(db, ids), { what: 'them to go on', until: (all) => !all.includes('cancelled') });
});

test('resuming a set with a missing run changes nothing [144]', async () => {
  const job = workflow('one of a set', () => sleep('3 days'));
  const engine = await db.launchEngine({ workflows: [job] });
  const run = await engine.startWorkflow(job);
  await run.cancel();

  const error = await perdureErrorOf(engine.runs.resumeMany([run.id, 'nobody']), 'RUN_NOT_FOUND');

  expect(error.details).toEqual({ id: 'nobody' });
  expect(await run.status()).toBe('cancelled');
});

test('the steps of a run have name, order, outcome, child and times, and come in pages [145]', async () => {
  const child = workflow('noted child', async () => 'from the child');
  const job = workflow('noted', async () => {
    for (const n of [1, 2, 3]) await runStep('count', () => n);
    await child();
    await runStep('break', () => Promise.reject(new Error('broken'))).catch(() => undefined);
  });
  const engine = await db.launchEngine({ workflows: [child, job] });
  const run = await engine.startWorkflow(job);
  await run.result();

  const all = await engine.runs.steps(run.id);
  const page = await engine.runs.steps(run.id, { after: 1, limit: 2 });

  expect(all).toMatchObject([
    { seq: 1, name: 'count', occurrence: 1, kind: 'step', output: 1 },
    { seq: 2, name: 'count', occurrence: 2, output: 2 },
    { seq: 3, name: 'count', occurrence: 3, output: 3 },
    { seq: 4, name: 'noted child', kind: 'child', childId: `${run.id}/noted child`, output: 'from the child' },
    { seq: 5, name: 'break', error: { message: 'broken' } },
  ]);
  expect(all.every(({ startedAt, finishedAt }) => startedAt <= finishedAt)).toBe(true);
  expect(page).toEqual(all.slice(1, 3));
  await perdureErrorOf(engine.runs.steps(run.id, { after: -1 }), 'OPTION_INVALID');
  await perdureErrorOf(engine.runs.steps(run.id, { limit: 0 }), 'OPTION_INVALID');
});

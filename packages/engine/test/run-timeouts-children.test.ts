// Deadlines of runs that other runs start.

import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { isPerdureError, sleep, startWorkflow, workflow, type Engine } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

const never = (): Promise<never> => new Promise(() => undefined);

async function deadlineOf(engine: Engine, id: string): Promise<Date> {
  const run = await waitFor(() => engine.runs.get(id), { what: `run ${id}` });
  return run.deadlineAt ?? new Date(0);
}

async function untilCancelled(engine: Engine, id: string): Promise<unknown> {
  const run = await waitFor(() => engine.runs.get(id), {
    what: `run ${id} to be cancelled`,
    until: (found) => found?.status === 'cancelled',
  });
  return run.error;
}

test("a called child inherits its parent's deadline, and ends with it [71]", async () => {
  const child = workflow('inherits-child', never);
  const parent = workflow('inherits', () => child());
  const engine = await db.launchEngine({ workflows: [parent, child] });

  const run = await engine.startWorkflow(parent, undefined, { timeout: 200 });

  await expect(run.result()).rejects.toMatchObject({ code: 'RUN_TIMED_OUT', details: { id: run.id } });
  expect(await untilCancelled(engine, `${run.id}/inherits-child`)).toMatchObject({ code: 'RUN_TIMED_OUT' });
  expect(await deadlineOf(engine, `${run.id}/inherits-child`)).toEqual(await deadlineOf(engine, run.id));
});

test("a child that is started and not awaited inherits its parent's deadline too [71]", async () => {
  const child = workflow('started-child', never);
  const parent = workflow('starts-and-ends', () => startWorkflow(child));
  const engine = await db.launchEngine({ workflows: [parent, child] });

  const run = await engine.startWorkflow(parent, undefined, { timeout: 300 });
  const childId = await run.result();

  expect(await deadlineOf(engine, childId)).toEqual(await deadlineOf(engine, run.id));
  expect(await untilCancelled(engine, childId)).toMatchObject({ code: 'RUN_TIMED_OUT' });
});

test('grandchildren inherit the deadline through their parents [71]', async () => {
  const grandchild = workflow('grandchild', never);
  const child = workflow('child-between', () => grandchild());
  const parent = workflow('grandparent', () => child());
  const engine = await db.launchEngine({ workflows: [parent, child, grandchild] });

  const run = await engine.startWorkflow(parent, undefined, { timeout: 300 });

  const id = `${run.id}/child-between/grandchild`;
  expect(await deadlineOf(engine, id)).toEqual(await deadlineOf(engine, run.id));
  expect(await untilCancelled(engine, id)).toMatchObject({ code: 'RUN_TIMED_OUT' });
});

test('a child may have less time: its parent catches the timeout and goes on [71]', async () => {
  const child = workflow('short-child', never, { timeout: 100 });
  const parent = workflow(
    'patient-parent',
    async () => {
      try {
        return await child();
      } catch (error) {
        return isPerdureError(error, 'RUN_TIMED_OUT') ? error.details['timeoutMs'] : error;
      }
    },
    { timeout: '1m' },
  );
  const engine = await db.launchEngine({ workflows: [parent, child] });

  const run = await engine.startWorkflow(parent);

  expect(await run.result()).toBe(100);
});

test('a child cannot have more time than its parent [71]', async () => {
  const child = workflow('long-child', never, { timeout: '1h' });
  const parent = workflow('short-parent', () => child());
  const engine = await db.launchEngine({ workflows: [parent, child] });

  const run = await engine.startWorkflow(parent, undefined, { timeout: 200 });

  await run.result().catch(() => undefined);
  expect(await deadlineOf(engine, `${run.id}/long-child`)).toEqual(await deadlineOf(engine, run.id));
});

test("a delayed child is capped by its parent's deadline when it is claimed [71]", async () => {
  const child = workflow('delayed-child', never);
  const parent = workflow('starts-delayed', () => startWorkflow(child, undefined, { delay: 50, timeout: '1h' }));
  const engine = await db.launchEngine({ workflows: [parent, child] });

  const run = await engine.startWorkflow(parent, undefined, { timeout: 300 });
  const childId = await run.result();

  expect(await untilCancelled(engine, childId)).toMatchObject({ code: 'RUN_TIMED_OUT' });
  expect(await deadlineOf(engine, childId)).toEqual(await deadlineOf(engine, run.id));
});

test('a child whose inherited deadline comes while it waits in the queue is cancelled there, and never runs [75]', async () => {
  let calls = 0;
  const child = workflow('queued-child', async () => void (calls += 1));
  const parent = workflow('starts-late', () => startWorkflow(child, undefined, { delay: '1h' }));
  const engine = await db.launchEngine({ workflows: [parent, child] });

  const run = await engine.startWorkflow(parent, undefined, { timeout: 200 });
  const childId = await run.result();

  expect(await untilCancelled(engine, childId)).toMatchObject({ code: 'RUN_TIMED_OUT' });
  expect(calls).toBe(0);
});

test('a run without a deadline gives its children none [71]', async () => {
  const child = workflow('free-child', () => sleep('1h'));
  const parent = workflow('free-parent', () => startWorkflow(child));
  const engine = await db.launchEngine({ workflows: [parent, child] });

  const run = await engine.startWorkflow(parent);

  expect((await engine.runs.get(await run.result()))?.deadlineAt).toBeUndefined();
});

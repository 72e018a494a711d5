// Runs that other runs call: their ids, results and errors, and what happens when one side is cancelled.

import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import {
  currentRun,
  PerdureError,
  runStep,
  sleep,
  workflow,
  type Engine,
  type RunStatus,
  type StandardSchema,
} from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

function untilStatus(engine: Engine, id: string, status: RunStatus): Promise<unknown> {
  return waitFor(() => engine.runs.get(id), {
    what: `run ${id} to be ${status}`,
    until: (run) => run?.status === status,
  });
}

test('a called workflow is a run of its own, and its result is recorded in the caller [9]', async () => {
  const child = workflow('simple-child', async (name: string) => runStep('greet', () => `Hello ${name}`));
  const parent = workflow('simple-parent', async () => `${await child('Ada')}!`);
  const engine = await db.launchEngine({ workflows: [parent, child] });

  const run = await engine.startWorkflow(parent);

  expect(await run.result()).toBe('Hello Ada!');
  const childId = `${run.id}/simple-child`;
  expect(await engine.runs.steps(run.id)).toMatchObject([
    { kind: 'child', name: 'simple-child', childId, output: 'Hello Ada' },
  ]);
  expect(await engine.runs.get(childId)).toMatchObject({ status: 'succeeded', parentId: run.id, input: 'Ada' });
});

test('the ids of children are made of the parent, the name and the number of the call [9]', async () => {
  const child = workflow('numbered', async () => currentRun().id);
  const parent = workflow('numbering', async () => [await child(), ...(await Promise.all([child(), child()]))]);
  const engine = await db.launchEngine({ workflows: [parent, child] });

  const run = await engine.startWorkflow(parent, undefined, { id: 'p' });

  expect(await run.result()).toEqual(['p/numbered', 'p/numbered#2', 'p/numbered#3']);
});

test('the ids of children stay within the limit, however deep and long the names [9]', async () => {
  const child = workflow('c'.repeat(255), async () => currentRun().id);
  const parent = workflow('long-ids', async () => [await child(), await child()]);
  const engine = await db.launchEngine({ workflows: [parent, child] });

  const run = await engine.startWorkflow(parent, undefined, { id: 'p'.repeat(500) });

  const ids = await run.result();
  expect(new Set(ids).size).toBe(2);
  expect(ids.map((id) => id.length <= 512)).toEqual([true, true]);
  expect((await engine.runs.steps(run.id)).map(({ childId }) => childId)).toEqual(ids);
});

test('parallel children of one name each give their result to their own caller [9]', async () => {
  const child = workflow('parallel-child', async (ms: number) => {
    await runStep('work', () => new Promise((resolve) => setTimeout(resolve, ms)));
    return ms;
  });
  const parent = workflow('parallel-parent', () => Promise.all([90, 10, 50, 0, 30].map((ms) => child(ms))));
  const engine = await db.launchEngine({ workflows: [parent, child] });

  const run = await engine.startWorkflow(parent);

  expect(await run.result()).toEqual([90, 10, 50, 0, 30]);
});

test('a child that returns nothing gives undefined, and takes no input where none is declared', async () => {
  const child = workflow('empty-child', async () => undefined);
  const parent = workflow('empty-parent', async () => [await child()]);
  const engine = await db.launchEngine({ workflows: [parent, child] });

  const run = await engine.startWorkflow(parent);

  expect(await run.result()).toEqual([undefined]);
});

test("a child's error reaches its caller with name, message, properties and cause [4]", async () => {
  const thrown = Object.assign(new RangeError('no funds', { cause: new TypeError('no account') }), { code: 'E_FUNDS' });
  const child = workflow('throwing-child', () => Promise.reject(thrown));
  const parent = workflow('catching-parent', async () => {
    try {
      return await child();
    } catch (error) {
      return error;
    }
  });
  const engine = await db.launchEngine({ workflows: [parent, child] });

  const run = await engine.startWorkflow(parent);

  const caught = await run.result();
  expect(caught).toBeInstanceOf(RangeError);
  expect(caught).toMatchObject({
    message: 'no funds',
    code: 'E_FUNDS',
    cause: { name: 'TypeError', message: 'no account' },
  });
});

test("a child's error that nobody catches fails every run above it [4]", async () => {
  const grandchild = workflow('failing-grandchild', () =>
    runStep('fail', () => Promise.reject(new Error('deep down'))),
  );
  const child = workflow('between', () => grandchild());
  const parent = workflow('top', () => child());
  const engine = await db.launchEngine({ workflows: [parent, child, grandchild] });

  const run = await engine.startWorkflow(parent);

  await expect(run.result()).rejects.toThrow(new Error('deep down'));
  expect(await engine.runs.get(`${run.id}/between`)).toMatchObject({ status: 'failed' });
  expect(await engine.runs.get(`${run.id}/between/failing-grandchild`)).toMatchObject({ status: 'failed' });
});

test('runs nest deeper than there is room for: a child never waits for its parent to leave [10]', async () => {
  const factorial = workflow('factorial', async (n: number): Promise<number> =>
    n < 2 ? 1 : n * (await factorial(n - 1)),
  );
  const engine = await db.launchEngine({ workflows: [factorial], maxConcurrentRuns: 1 });

  const run = await engine.startWorkflow(factorial, 10);

  expect(await run.result()).toBe(3_628_800);
});

test('a child runs where its workflow is hosted, while its parent is parked', async () => {
  const gate = { open: (): void => undefined };
  const opened = new Promise<void>((resolve) => (gate.open = resolve));
  const child = workflow('elsewhere', () => runStep('work', () => opened.then(() => 'done elsewhere')));
  const parent = workflow('parked-caller', () => child());
  const [caller] = await Promise.all([
    db.launchEngine({ workflows: [parent], parkAfter: 0 }),
    db.launchEngine({ workflows: [child] }),
  ]);
  const run = await caller.startWorkflow(parent);
  await untilStatus(caller, run.id, 'waiting');

  gate.open();

  expect(await run.result()).toBe('done elsewhere');
  expect((await caller.runs.get(run.id))?.epoch).toBeGreaterThan(1);
});

test('a child that nobody awaits any more goes on', async () => {
  const slow = workflow('slow-sibling', async () => sleep(200));
  const failing = workflow('failing-sibling', () => Promise.reject(new Error('at once')));
  const parent = workflow('impatient', () => Promise.all([slow(), failing()]));
  const engine = await db.launchEngine({ workflows: [parent, slow, failing] });

  const run = await engine.startWorkflow(parent);

  await expect(run.result()).rejects.toThrow(new Error('at once'));
  await untilStatus(engine, `${run.id}/slow-sibling`, 'succeeded');
});

test('cancelling a run leaves its children alone, and its wait is not recorded: resumed, it picks up their results [137]', async () => {
  const gate = { open: (): void => undefined };
  const opened = new Promise<void>((resolve) => (gate.open = resolve));
  const child = workflow('goes-on', () => runStep('work', () => opened.then(() => 'child result')));
  const parent = workflow('cancelled-parent', () => child());
  const engine = await db.launchEngine({ workflows: [parent, child] });
  const run = await engine.startWorkflow(parent);
  const childId = `${run.id}/goes-on`;
  await untilStatus(engine, childId, 'running');

  await run.cancel();
  const stepsThen = await engine.runs.steps(run.id);
  gate.open();
  await engine.getHandle(childId).result();
  await engine.runs.resume(run.id);

  expect(stepsThen).toEqual([]);
  expect(await engine.getHandle(run.id).result()).toBe('child result');
  expect(await engine.runs.get(childId)).toMatchObject({ epoch: 1 });
});

test('cancelling with children cancels the whole tree, called and started, running and parked [138]', async () => {
  const leaf = workflow('leaf', () => sleep('1h'));
  const busy = workflow('busy-leaf', () => runStep('work', () => new Promise<void>(() => undefined)));
  const branch = workflow('branch', () => Promise.all([leaf(), busy()]));
  const root = workflow('root', async () => {
    const started = await engine.startWorkflow(branch, undefined, { id: `started-by-${currentRun().id}` });
    await Promise.all([branch(), started.result()]);
  });
  const engine = await db.launchEngine({ workflows: [root, branch, leaf, busy] });
  const bystander = await engine.startWorkflow(leaf);
  const run = await engine.startWorkflow(root);
  const branches = [`${run.id}/branch#2`, `started-by-${run.id}`];
  await Promise.all(branches.map((id) => untilStatus(engine, `${id}/leaf`, 'waiting')));

  await engine.runs.cancel(run.id, { children: true });

  const ids = [run.id, ...branches.flatMap((id) => [id, `${id}/leaf`, `${id}/busy-leaf`])];
  const statuses = await Promise.all(ids.map(async (id) => (await engine.runs.get(id))?.status));
  expect(statuses).toEqual(ids.map(() => 'cancelled'));
  expect(await bystander.status()).not.toBe('cancelled');
});

test('a child that is cancelled gives RUN_CANCELLED to its caller, who can go on [138]', async () => {
  const child = workflow('cancelled-child', () => sleep('1h'));
  const parent = workflow('surviving-parent', () => child().catch((error: unknown) => error));
  const engine = await db.launchEngine({ workflows: [parent, child] });
  const run = await engine.startWorkflow(parent);
  const childId = `${run.id}/cancelled-child`;
  await untilStatus(engine, childId, 'waiting');

  const cancelledAt = performance.now();
  await engine.runs.cancel(childId);

  const caught = await run.result();
  expect(performance.now() - cancelledAt).toBeLessThan(3_000); // by notification, not by the next poll
  expect(caught).toBeInstanceOf(PerdureError);
  expect(caught).toMatchObject({ code: 'RUN_CANCELLED', details: { id: childId } });
});

test('children have their places in the order in which they were called, however long a schema takes to check them [48]', async () => {
  const slowly: StandardSchema<string> = {
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      validate: async (value: unknown) => {
        if (value === 'first') await new Promise((resolve) => setTimeout(resolve, 60));
        return { value: String(value) };
      },
    },
  };
  const child = workflow('checked-slowly', async (name: string) => name, { input: slowly });
  const parent = workflow('calls-two', () => Promise.all([child('first'), child('second')]));
  const engine = await db.launchEngine({ workflows: [parent, child] });

  const run = await engine.startWorkflow(parent, undefined, { id: 'calls-two' });

  expect(await run.result()).toEqual(['first', 'second']);
  expect(await engine.getHandle('calls-two/checked-slowly').result()).toBe('first');
});

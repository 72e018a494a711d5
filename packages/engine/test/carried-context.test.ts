// What the application knows implicitly goes along with the runs that it starts.

import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from '@jest/globals';
import { currentRun, runStep, sleep, startWorkflow, workflow, type ContextCarrier } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

const callers = new AsyncLocalStorage<{ readonly tenant: string }>();
const tenant = (): string | undefined => callers.getStore()?.tenant;

const context: ContextCarrier = {
  capture: () => (tenant() === undefined ? undefined : { tenant: tenant() }),
  restore: (carried, work) => callers.run({ tenant: String(carried['tenant']) }, work),
};

test('workflow code, its steps and their retries see what the caller of the start saw', async () => {
  let attempts = 0;
  const report = workflow('report', async () => {
    const inStep = await runStep('first', tenant);
    const retry = { maxAttempts: 2, delay: 5 };
    const inRetry = await runStep('second', () => (attempts++ === 0 ? fail() : tenant()), { retry });
    return [tenant(), inStep, inRetry];
  });
  const engine = await db.launchEngine({ workflows: [report], context });

  const run = await callers.run({ tenant: 'acme' }, () => engine.startWorkflow(report));

  expect(await run.result()).toEqual(['acme', 'acme', 'acme']);
});

test('what was taken along is there after the run has left memory, without its caller', async () => {
  const sleeper = workflow('sleeper', async () => {
    await sleep(200);
    return [tenant(), currentRun().attributes];
  });
  const engine = await db.launchEngine({ workflows: [sleeper], context, parkAfter: 0 });

  const run = await callers.run({ tenant: 'acme' }, () => engine.startWorkflow(sleeper));

  expect(await run.result()).toEqual(['acme', { context: { tenant: 'acme' } }]);
});

test('children inherit it, called or started', async () => {
  const child = workflow('child', async () => tenant());
  const parent = workflow('parent', async () => {
    const started = await startWorkflow(child, undefined, { id: 'child of parent' });
    return [await child(), started];
  });
  const engine = await db.launchEngine({ workflows: [parent, child], context });

  const run = await callers.run({ tenant: 'acme' }, () => engine.startWorkflow(parent));

  expect(await run.result()).toEqual(['acme', 'child of parent']);
  expect(await engine.getHandle('child of parent').result()).toBe('acme');
});

test('a step has what its caller keeps in a storage of its own, also without a carrier', async () => {
  const local = workflow('local', async () =>
    callers.run({ tenant: 'inner' }, async () => [await runStep('one', tenant), await runStep('two', tenant)]),
  );
  const engine = await db.launchEngine({ workflows: [local] });

  const run = await engine.startWorkflow(local);

  expect(await run.result()).toEqual(['inner', 'inner']);
});

test('an attribute of that name, given to the start, wins', async () => {
  const report = workflow('report of another', async () => tenant());
  const engine = await db.launchEngine({ workflows: [report], context });
  const attributes = { context: { tenant: 'globex' } };

  const run = await callers.run({ tenant: 'acme' }, () => engine.startWorkflow(report, undefined, { attributes }));

  expect(await run.result()).toBe('globex');
});

test('without a carrier, workflow code sees nothing of its caller, as it would not after a crash', async () => {
  const child = workflow('child of a caller', async () => [tenant(), await runStep('look', tenant)]);
  const parent = workflow('parent of a caller', async () => [tenant(), await callers.run({ tenant: 'inner' }, child)]);
  const engine = await db.launchEngine({ workflows: [parent, child] });

  const run = await callers.run({ tenant: 'acme' }, () => engine.startWorkflow(parent));

  expect(await run.result()).toEqual([undefined, [undefined, undefined]]);
});

function fail(): never {
  throw new Error('not yet');
}

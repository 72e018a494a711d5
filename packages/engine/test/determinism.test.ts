// Deployed code that does not fit the history of a run in flight: nothing is executed, and the run waits for a person.

import { expect, test } from '@jest/globals';
import { sleep, workflow } from '../src/index.js';
import { startUntilParked, type NotedCode } from './support/deployed-change.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

/** The code that the runs have started with. */
const original: NotedCode = async (step) => {
  const charge = await step('charge');
  const reserve = await step('reserve');
  await sleep('1h');
  return [charge, reserve, await step('ship')];
};

const nap = workflow('reserve', () => sleep('1h'));

test.each<[change: string, code: NotedCode, expected: string, found: string]>([
  [
    'renamed',
    async (step) => [await step('bill'), await step('reserve'), await sleep('1h'), await step('ship')],
    'step "charge"',
    'step "bill"',
  ],
  [
    'inserted at the beginning',
    async (step) => [await step('check'), await step('charge'), await step('reserve'), await sleep('1h')],
    'step "charge"',
    'step "check"',
  ],
  [
    'inserted in the middle',
    async (step) => [await step('charge'), await step('check'), await step('reserve'), await sleep('1h')],
    'step "reserve"',
    'step "check"',
  ],
  [
    'removed',
    async (step) => [await step('charge'), await sleep('1h'), await step('ship')],
    'step "reserve"',
    'sleep "sleep"',
  ],
  ['removed from the end', async (step) => step('charge'), 'step "reserve"', 'the end of the workflow'],
  [
    'called less often',
    async (step) => [await step('charge'), await step('charge'), await sleep('1h')],
    'step "reserve"',
    'step "charge" (call 2)',
  ],
  [
    'made another kind of operation',
    async (step) => [await step('charge'), await nap(), await sleep('1h')],
    'step "reserve"',
    'child "reserve"',
  ],
  [
    'moved behind the wait',
    async (step) => [await step('charge'), await sleep('1h'), await step('reserve'), await step('ship')],
    'step "reserve"',
    'sleep "sleep"',
  ],
])(
  'a step that is %s pauses the run, which says what it expected and found [46, 47, 179]',
  async (change, code, expected, found) => {
    const run = await startUntilParked(db, `changed: ${change}`, original);

    await run.deploy(code);

    const { error } = await run.reaches('paused');
    expect(error).toMatchObject({ code: 'NONDETERMINISM', details: { id: run.id, expected, found } });
    expect(run.executed).toEqual(['charge', 'reserve']);
    expect((await run.engine.runs.steps(run.id)).map(({ name }) => name)).toEqual(['charge', 'reserve']);
  },
);

test('a wait that is inserted before a recorded step pauses the run and is not waited for [47]', async () => {
  const run = await startUntilParked(db, 'inserted wait', original);

  await run.deploy(async (step) => [await sleep(1), await step('charge'), await step('reserve'), await sleep('1h')]);

  const { error } = await run.reaches('paused');
  expect(error).toMatchObject({ details: { expected: 'step "charge"', found: 'sleep "sleep"' } });
});

test('a paused run goes on with the code that fits, without repeating a step [179]', async () => {
  const run = await startUntilParked(db, 'changed back', original);
  await run.deploy((step) => step('other'));
  await run.reaches('paused');
  await run.deploy(original);

  await run.engine.runs.resume(run.id);

  expect(await run.engine.getHandle(run.id).result()).toEqual(['charge 1', 'reserve 2', 'ship 3']);
  expect(run.executed).toEqual(['charge', 'reserve', 'ship']);
});

test('a paused run whose code still does not fit is paused again when it is resumed [179]', async () => {
  const run = await startUntilParked(db, 'still changed', original);
  await run.deploy((step) => step('other'));
  const { epoch } = await run.reaches('paused');

  await run.engine.runs.resume(run.id);

  await run.reaches('paused', epoch + 1);
  expect(run.executed).toEqual(['charge', 'reserve']);
});

test('a step that is inserted beside recorded ones fits, and is executed after them [179]', async () => {
  const run = await startUntilParked(db, 'inserted beside', original);

  await run.deploy(async (step) => Promise.all([step('check'), step('charge'), step('reserve')]));

  expect(await run.engine.getHandle(run.id).result()).toEqual(['check 3', 'charge 1', 'reserve 2']);
});

test('what was not recorded yet may change at will [179]', async () => {
  const run = await startUntilParked(db, 'changed future', original);

  await run.deploy(async (step) => [
    await step('charge'),
    await step('reserve'),
    await step('check'),
    await step('send'),
  ]);

  expect(await run.engine.getHandle(run.id).result()).toEqual(['charge 1', 'reserve 2', 'check 3', 'send 4']);
});

test('another wait in the place of the one that the run is in does not make it start over [179]', async () => {
  const run = await startUntilParked(db, 'changed wait', original);

  await run.deploy(async (step) => [
    await step('charge'),
    await step('reserve'),
    await sleep('30m'),
    await step('ship'),
  ]);

  expect(await run.engine.getHandle(run.id).result()).toEqual(['charge 1', 'reserve 2', undefined, 'ship 3']);
});

test('recorded steps that have only swapped their places go on with their results', async () => {
  const run = await startUntilParked(db, 'swapped', original);

  await run.deploy(async (step) => [
    await step('reserve'),
    await step('charge'),
    await sleep('1h'),
    await step('ship'),
  ]);

  expect(await run.engine.getHandle(run.id).result()).toEqual(['reserve 2', 'charge 1', undefined, 'ship 3']);
});

test('the workflow of a run that fits goes on beside one that is paused [179]', async () => {
  const changed = await startUntilParked(db, 'changed beside', original);
  const untouched = await startUntilParked(db, 'untouched beside', original);

  await Promise.all([changed.deploy((step) => step('other')), untouched.deploy(original)]);

  await changed.reaches('paused');
  expect(await untouched.engine.getHandle(untouched.id).result()).toEqual(['charge 1', 'reserve 2', 'ship 3']);
});

test('code that awaits something that is not durable before a recorded step is given time for it [179]', async () => {
  const slow: NotedCode = async (step) => {
    const charge = await step('charge');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const [late, reserve] = await Promise.all([step('late'), quietly(() => step('reserve'))]);
    return [charge, reserve, late];
  };
  const run = await startUntilParked(db, 'not durable', original);

  await run.deploy(slow);

  expect(await run.engine.getHandle(run.id).result()).toEqual(['charge 1', 'reserve 2', 'late 3']);
});

test('a run that is paused tells nobody an outcome', async () => {
  const run = await startUntilParked(db, 'no outcome', original);
  await run.deploy((step) => step('other'));
  await run.reaches('paused');

  const told = run.engine.getHandle(run.id).result({ signal: AbortSignal.timeout(200) });

  await expect(told).rejects.toMatchObject({ name: 'TimeoutError' });
});

/** Calls something after a while that is not durable. */
async function quietly<T>(call: () => Promise<T>): Promise<T> {
  await new Promise((resolve) => setTimeout(resolve, 200));
  return call();
}

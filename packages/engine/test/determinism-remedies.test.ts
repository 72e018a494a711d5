// Changing the code of runs in flight: patched(), formerly, and resuming with leave to execute new steps.

import { expect, test } from '@jest/globals';
import { patched, sleep } from '../src/index.js';
import { startUntilParked, type NotedCode } from './support/deployed-change.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

const original: NotedCode = async (step) => {
  const charge = await step('charge');
  await sleep('1h');
  return [charge, await step('ship')];
};

test('patched() is false for a run that has passed that point, and its history fits [52]', async () => {
  const run = await startUntilParked(db, 'patched before', original);

  await run.deploy(async (step) => {
    const check = patched('check first') ? await step('check') : 'unchecked';
    const charge = await step('charge');
    await sleep('1h');
    return [check, charge, await step('ship')];
  });

  expect(await run.engine.getHandle(run.id).result()).toEqual(['unchecked', 'charge 1', 'ship 2']);
});

test('patched() is true for a run that has not come to that point, and stays true in its replays [52]', async () => {
  const guarded: NotedCode = async (step) => {
    const charge = await step('charge');
    await sleep('1h');
    const check = patched('check last') ? await step('check') : 'unchecked';
    await sleep('1h');
    return [charge, check, await step('ship')];
  };
  const run = await startUntilParked(db, 'patched after', original);
  await run.deploy(guarded);
  await run.reaches('waiting', 1);

  await run.deploy(guarded);

  expect(await run.engine.getHandle(run.id).result()).toEqual(['charge 1', 'check 2', 'ship 3']);
  expect(run.executed).toEqual(['charge', 'check', 'ship']);
});

test('patched() is true for a new run, at the first and at the last place [52, 53]', async () => {
  const guarded: NotedCode = async (step) => {
    const marks = [patched('first')];
    const charge = await step('charge');
    await sleep('1h');
    marks.push(patched('first'), patched('last'));
    return [charge, ...marks];
  };
  const run = await startUntilParked(db, 'patched new', guarded);

  await run.deploy(guarded);

  expect(await run.engine.getHandle(run.id).result()).toEqual(['charge 1', true, true, true]);
  const steps = await run.engine.runs.steps(run.id);
  expect(steps.map(({ kind, name }) => [kind, name])).toEqual([
    ['patch', 'patch: first'],
    ['step', 'charge'],
    ['sleep', 'sleep'],
    ['patch', 'patch: last'],
  ]);
});

test('patched() in parallel branches agrees in all replays [52]', async () => {
  const guarded: NotedCode = async (step) => {
    const branch = async (name: string): Promise<unknown> => {
      const before = patched(`before ${name}`);
      return [before, await step(name), patched(`after ${name}`)];
    };
    const marks = await Promise.all([branch('a'), branch('b')]);
    await sleep('1h');
    return marks;
  };
  const run = await startUntilParked(db, 'patched branches', guarded);

  await run.deploy(guarded);

  const [a, b] = (await run.engine.getHandle(run.id).result()) as [unknown[], unknown[]];
  expect([a[0], a[2], b[0], b[2]]).toEqual([true, true, true, true]);
});

test.each(['first', 'last'])(
  'a patched() that is gone from the code does no harm to a run that has recorded it in the %s place [53]',
  async (place) => {
    const run = await startUntilParked(db, `patch gone: ${place}`, async (step) => {
      if (place === 'first') patched('change');
      const charge = await step('charge');
      if (place === 'last') patched('change');
      await sleep('1h');
      return charge;
    });

    await run.deploy(original);

    expect(await run.engine.getHandle(run.id).result()).toEqual(['charge 1', 'ship 2']);
  },
);

test('a renamed step finds its record under its former name [179]', async () => {
  const run = await startUntilParked(db, 'formerly', original);

  await run.deploy(async (step) => {
    const bill = await step('bill', 'charge');
    await sleep('1h');
    return [bill, await step('ship')];
  });

  expect(await run.engine.getHandle(run.id).result()).toEqual(['charge 1', 'ship 2']);
  expect(run.executed).toEqual(['charge', 'ship']);
});

test('a renamed step in a loop finds each record, and goes on under its new name [179]', async () => {
  const loop =
    (name: string, formerly?: string): NotedCode =>
    async (step) => {
      const results: string[] = [];
      for (let i = 0; i < 4; i++) {
        results.push(await step(name, formerly));
        if (i === 1) await sleep('1h');
      }
      return results;
    };
  const run = await startUntilParked(db, 'formerly in a loop', loop('poll'));

  await run.deploy(loop('look', 'poll'));

  expect(await run.engine.getHandle(run.id).result()).toEqual(['poll 1', 'poll 2', 'look 3', 'look 4']);
  const steps = await run.engine.runs.steps(run.id);
  expect(steps.filter(({ kind }) => kind === 'step').map(({ name, occurrence }) => `${name} ${occurrence}`)).toEqual([
    'poll 1',
    'poll 2',
    'look 3',
    'look 4',
  ]);
});

test.each<[change: string, code: NotedCode, result: unknown]>([
  ['inserted', async (step) => [await step('check'), await step('charge')], ['check 2', 'charge 1']],
  ['removed', async (step) => [await step('ship')], ['ship 2']],
  ['removed at the end', async () => 'nothing left', 'nothing left'],
  ['replaced', async (step) => [await step('bill'), await step('ship')], ['bill 2', 'ship 3']],
])(
  'a run resumed with acceptNewSteps goes on with a step that is %s, and repeats none [179]',
  async (change, code, result) => {
    const run = await startUntilParked(db, `accepted: ${change}`, original);
    await run.deploy(code);
    await run.reaches('paused');

    await run.engine.runs.resume(run.id, { acceptNewSteps: true });

    expect(await run.engine.getHandle(run.id).result()).toEqual(result);
    expect(run.executed.filter((name) => name === 'charge')).toEqual(['charge']);
  },
);

test('a run resumed with acceptNewSteps replays exactly from then on [179]', async () => {
  const changed: NotedCode = async (step) => {
    const [check, charge] = [await step('check'), await step('charge')];
    await sleep('1h');
    const audit = await step('audit');
    await sleep('1h');
    return [check, charge, audit, await step('ship')];
  };
  const run = await startUntilParked(db, 'accepted twice', original);
  await run.deploy(changed);
  const { epoch } = await run.reaches('paused');
  await run.engine.runs.resume(run.id, { acceptNewSteps: true });

  const first = await run.reaches('waiting', epoch);
  await run.deploy(changed);
  await run.reaches('waiting', first.epoch);
  await run.deploy(changed);

  expect(await run.engine.getHandle(run.id).result()).toEqual(['check 2', 'charge 1', 'audit 3', 'ship 4']);
  expect(run.executed).toEqual(['charge', 'check', 'audit', 'ship']);
});

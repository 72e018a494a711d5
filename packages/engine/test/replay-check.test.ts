// Checking recorded histories against changed code, without executing anything.

import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import {
  event,
  patched,
  receive,
  runStep,
  setEvent,
  sleep,
  startWorkflow,
  topic,
  workflow,
  type Engine,
  type RunHandle,
} from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const approval = topic<string>('approval');
const progress = event<number>('progress');

type Code = () => Promise<unknown>;
const effects: string[] = [];
const act = (name: string): Promise<string> =>
  runStep(name, () => {
    effects.push(name);
    return name;
  });

const original: Code = async () => {
  const both = await Promise.all([act('charge'), act('notify')]);
  await setEvent(progress, 1);
  await sleep(1);
  await child();
  return both;
};
const child = workflow('child', async () => act('child step'));

async function recorded(code: Code): Promise<{ engine: Engine; run: RunHandle<unknown> }> {
  const engine = await db.launchEngine({ workflows: [workflow('checked', code), child] });
  const run = await engine.startWorkflow(workflow('checked', code));
  await run.result();
  effects.length = 0;
  return { engine, run };
}

async function checkAgainst(code: Code): Promise<unknown> {
  const { engine, run } = await recorded(original);
  engine.register(workflow('checked', code));
  const { fits, replayed, error } = await engine.runs.checkReplay(run.id);
  return { fits, replayed, found: error === undefined ? undefined : error.message };
}

test('the code that recorded a history fits it, and nothing is executed', async () => {
  const { engine, run } = await recorded(original);

  const check = await engine.runs.checkReplay(run.id);

  expect(check).toEqual({ fits: true, replayed: 5, error: undefined });
  expect(effects).toEqual([]);
  expect(await engine.runs.steps(run.id)).toHaveLength(5);
});

test('a step in the place of another does not fit', async () => {
  const renamed: Code = async () => {
    await Promise.all([act('charge'), act('tell')]);
    await act('more');
  };

  expect(await checkAgainst(renamed)).toEqual({
    fits: false,
    replayed: 1,
    found: expect.stringMatching(/recorded .*"notify" here, but the code now asks for .*"tell"/),
  });
  expect(effects).toEqual([]);
});

test('a step less, or one more at the end of a run that has succeeded, does not fit', async () => {
  const less: Code = async () => act('charge');
  const more: Code = async () => {
    await original();
    await act('audit');
  };

  const found = [await checkAgainst(less), await checkAgainst(more)];

  expect(found).toMatchObject([{ fits: false }, { fits: false, replayed: 5 }]);
  expect(effects).toEqual([]);
});

test('a change behind a marker fits', async () => {
  const marked: Code = async () => {
    if (patched('audit')) await act('audit');
    return original();
  };

  expect(await checkAgainst(marked)).toMatchObject({ fits: true, replayed: 5 });
});

test('a run in flight fits when the code asks for what it has recorded so far', async () => {
  const waiting: Code = async () => {
    await act('charge');
    await receive(approval);
    await startWorkflow(child);
  };
  const engine = await db.launchEngine({ workflows: [workflow('in flight', waiting)] });
  const run = await engine.startWorkflow(workflow('in flight', waiting));
  await waitFor(async () => (await engine.runs.steps(run.id)).length === 1, { what: 'the first step to be recorded' });

  const fitting = await engine.runs.checkReplay(run.id);
  engine.register(workflow('in flight', async () => act('other')));
  const misfit = await engine.runs.checkReplay(run.id);

  expect(fitting).toMatchObject({ fits: true, replayed: 1 });
  expect(misfit).toMatchObject({ fits: false, replayed: 0, error: { code: 'NONDETERMINISM' } });
});

test('without the run, or its code, there is nothing to check', async () => {
  const { engine, run } = await recorded(original);
  const other = await db.launchEngine();

  await expect(engine.runs.checkReplay('missing')).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
  await expect(other.runs.checkReplay(run.id)).rejects.toMatchObject({ code: 'WORKFLOW_UNKNOWN' });
});

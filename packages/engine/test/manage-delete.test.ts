// Deleting runs: what goes with them, and what stays.

import { expect, test } from '@jest/globals';
import { event, receive, runStep, setEvent, sleep, startWorkflow, topic, workflow } from '../src/index.js';
import { gate } from './support/gate.js';
import { blocked, lockRun } from './support/locks.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { statusesOf } from './support/statuses-of.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const word = topic<string>('word');
const ready = event<string>('ready');

test('deleting removes every trace of a run, of its children if asked, and a missing id is no harm [143]', async () => {
  const child = workflow('deleted child', async () => runStep('work', () => 'secret'));
  const job = workflow('deleted', async () => {
    await setEvent(ready, 'secret');
    await receive(word);
    await child();
  });
  const engine = await db.launchEngine({ workflows: [child, job] });
  const run = await engine.startWorkflow(job);
  await engine.send(run.id, word, 'secret');
  await run.result();

  expect(await engine.runs.delete(run.id)).toBe(true);
  expect(await engine.runs.delete(run.id)).toBe(false);
  expect(await statusesOf(db, [`${run.id}/deleted child`])).toEqual(['succeeded']);
  const again = await engine.startWorkflow(job, undefined, { id: 'deleted with children' });
  await engine.send(again.id, word, 'secret');
  await again.result();
  await engine.runs.delete(again.id, { children: true });

  const tables = await db.query<{ name: string }>(
    `select distinct table_name as name from information_schema.columns where table_schema = 'perdure' and column_name = 'run_id'`,
  );
  const left = await Promise.all(
    tables.map(({ name }) => db.query(`select 1 from perdure.${name} where run_id like $1`, [`${again.id}%`])),
  );
  expect(left.flat()).toEqual([]);
  expect(await statusesOf(db, [again.id, `${again.id}/deleted child`])).toEqual([]);
  await perdureErrorOf(engine.getHandle(run.id).result(), 'RUN_NOT_FOUND');
});

test('children that are left have no parent any more, and a later run of its id does not get their results', async () => {
  const child = workflow('left child', async (order: string) => `for ${order}`);
  const job = workflow('restarted', async (order: string) => child(order));
  const engine = await db.launchEngine({ workflows: [child, job] });
  const first = await engine.startWorkflow(job, 'the first order', { id: 'restarted' });
  await first.result();
  await engine.runs.delete(first.id);

  const second = await engine.startWorkflow(job, 'the second order', { id: 'restarted' });

  const error = await perdureErrorOf(second.result(), 'RUN_EXISTS');
  expect(error.details).toMatchObject({ id: 'restarted/left child' });
  expect(await engine.runs.get('restarted/left child')).toMatchObject({
    parentId: undefined,
    output: 'for the first order',
  });
});

test('a run that ends while it is being deleted is left whole, and can be deleted then', async () => {
  const [began, end] = [gate(), gate()];
  const job = workflow('ending', async () =>
    runStep('last', async () => {
      began.open();
      await end.opened;
    }),
  );
  const engine = await db.launchEngine({ workflows: [job], lease: '20s' });
  const run = await engine.startWorkflow(job, undefined, { id: 'ending' });
  await began.opened;
  const unlock = await lockRun(db, run.id);
  end.open();
  await blocked(db, 'finish');

  const deletion = perdureErrorOf(engine.runs.delete(run.id), 'RUN_STATE_CONFLICT');
  await blocked(db, 'delete');
  await unlock();

  expect((await deletion).details).toMatchObject({ id: 'ending', status: 'running' });
  expect(await engine.runs.steps(run.id)).toHaveLength(1);
  expect(await engine.runs.delete(run.id)).toBe(true);
  expect(await db.query("select 1 from perdure.steps where run_id = 'ending'")).toEqual([]);
});

test('a run that is resumed and ends again while it is being deleted is left whole', async () => {
  const child = workflow('resumed child', async (fails: boolean) => {
    await runStep('first', () => 1);
    if (fails && !state.isMended) throw new Error('broken');
    return runStep('second', () => 2);
  });
  const state = { isMended: false };
  const job = workflow('mended', () => child(true).catch(() => 'broken'));
  const engine = await db.launchEngine({ workflows: [child, job] });
  await (await engine.startWorkflow(job, undefined, { id: 'mended' })).result();
  const unlock = await lockRun(db, 'mended');
  const deleted = perdureErrorOf(engine.runs.delete('mended', { children: true }), 'RUN_STATE_CONFLICT');
  await blocked(db, 'delete');

  state.isMended = true;
  await engine.runs.resume('mended/resumed child');
  await engine.getHandle('mended/resumed child', child).result();
  await unlock();

  await deleted;
  expect(await statusesOf(db, ['mended', 'mended/resumed child'])).toEqual(['succeeded', 'succeeded']);
  expect(await engine.runs.delete('mended', { children: true })).toBe(true);
});

test('an unfinished run is not deleted, nor a tree that has one [143]', async () => {
  const child = workflow('unfinished child', () => sleep('3 days'));
  const job = workflow('finished parent', async () => startWorkflow(child));
  const engine = await db.launchEngine({ workflows: [child, job] });
  const run = await engine.startWorkflow(job);
  const childId = await run.result();

  await perdureErrorOf(engine.runs.delete(childId), 'RUN_STATE_CONFLICT');
  const error = await perdureErrorOf(engine.runs.delete(run.id, { children: true }), 'RUN_STATE_CONFLICT');

  expect(error.details).toMatchObject({ id: childId, action: 'be deleted' });
  expect(await statusesOf(db, [run.id])).toEqual(['succeeded']);
});

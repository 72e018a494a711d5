import { expect, test } from '@jest/globals';
import type { SpawnedProcess } from '@perdure/testing';
import { contract } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

const messages = (worker: SpawnedProcess, type: string): Record<string, unknown>[] =>
  worker.lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter((message) => message['type'] === type);

const executedBy = (worker: SpawnedProcess): unknown[] => messages(worker, 'executed').map(({ step }) => step);

test('steps recorded before a crash are not executed again, the one under way is, however often it crashes [1, 2, 14]', async () => {
  const engine = await db.launchEngine();
  const run = await engine.startWorkflow(contract<number, number>('sequence'), 40, { id: 'sequence-1' });

  const first = db.spawn('crash-worker', { crashAt: 'step:second' });
  await first.exited;
  const second = db.spawn('crash-worker', { crashAt: 'step:third' });
  await second.exited;
  const third = db.spawn('crash-worker');

  expect(await run.result()).toBe(43);
  expect(executedBy(first)).toEqual(['first', 'second']);
  expect(executedBy(second)).toEqual(['second', 'third']);
  expect(executedBy(third)).toEqual(['third']);
  expect(await engine.runs.get(run.id)).toMatchObject({ recoveries: 2 });
});

test('a crash right after the commit of a step does not execute it again [1]', async () => {
  const engine = await db.launchEngine();
  const run = await engine.startWorkflow(contract<number, number>('sequence'), 40, { id: 'sequence-2' });

  const first = db.spawn('crash-worker', { crashAt: 'after:perdure_write_batch:2' });
  await first.exited;
  const second = db.spawn('crash-worker');

  expect(await run.result()).toBe(43);
  expect(executedBy(first)).toEqual(['first', 'second']);
  expect(executedBy(second)).toEqual(['third']);
});

test('a crash right before the commit of a step executes it again [2]', async () => {
  const engine = await db.launchEngine();
  const run = await engine.startWorkflow(contract<number, number>('sequence'), 40, { id: 'sequence-3' });

  const first = db.spawn('crash-worker', { crashAt: 'before:perdure_write_batch:2' });
  await first.exited;
  const second = db.spawn('crash-worker');

  expect(await run.result()).toBe(43);
  expect(executedBy(first)).toEqual(['first', 'second']);
  expect(executedBy(second)).toEqual(['second', 'third']);
});

test('a failed step throws the same error on replay and to the caller: name, message, stack, code, cause, class [4, 158]', async () => {
  const engine = await db.launchEngine();
  const run = await engine.startWorkflow(contract('refusing'), undefined, { id: 'refused' });
  const result: Promise<unknown> = run.result().catch((error: unknown) => error);

  const first = db.spawn('crash-worker', { crashAt: 'step:afterwards' });
  await first.exited;
  const second = db.spawn('crash-worker');

  expect(await result).toBeInstanceOf(TypeError);
  expect(await result).toMatchObject({ name: 'CardError', message: 'declined', code: 'E_DECLINED', amount: 7n });
  expect(executedBy(second)).toEqual(['afterwards']);
  const [live] = messages(first, 'caught');
  expect(live).toMatchObject({ name: 'CardError', isTypeError: true, cause: { cause: { message: 'account frozen' } } });
  expect(messages(second, 'caught')).toEqual([live]);
});

test('a workflow in a workflow in a workflow goes on from the innermost step, each child started once under a fixed id [5, 9, 10]', async () => {
  const engine = await db.launchEngine();
  const run = await engine.startWorkflow(contract<void, unknown[]>('outer'), undefined, { id: 'outer-1' });

  const first = db.spawn('crash-worker', { crashAt: 'step:inner 2:2' });
  await first.exited;
  const second = db.spawn('crash-worker');

  expect(await run.result()).toEqual(['o', 'm', undefined, undefined]);
  expect(executedBy(first)).toEqual(['outer 1', 'middle 1', 'inner 1', 'inner 2', 'inner 1', 'inner 2']);
  expect(executedBy(second)).toEqual(['inner 2']);
  expect(await db.query(`select id, parent_id from perdure.runs where id like 'outer-1%' order by id`)).toEqual([
    { id: 'outer-1', parent_id: null },
    { id: 'outer-1/inner', parent_id: 'outer-1' },
    { id: 'outer-1/middle', parent_id: 'outer-1' },
    { id: 'outer-1/middle/inner', parent_id: 'outer-1/middle' },
  ]);
});

// In which order queues let runs go: by priority, by the order of their start, and key by key in turn.

import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { queue, runStep, workflow, type Engine } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

/** A queue of this name that lets one go at a time, and a workflow that notes in which order its runs come. */
async function lineOf(name: string): Promise<{ engine: Engine; seen: string[]; note: typeof note }> {
  const seen: string[] = [];
  const note = workflow(`note ${name}`, (what: string) => runStep('note', () => void seen.push(what)));
  const engine = await db.launchEngine({ workflows: [note], queues: [queue(name, { concurrency: 1 })] });
  await engine.queues.pause(name);
  return { engine, seen, note };
}

async function drained(engine: Engine, name: string): Promise<void> {
  await engine.queues.resume(name);
  await waitFor(() => engine.queues.get(name), {
    what: 'the queue to be empty',
    timeoutMs: 20_000,
    until: (info) => info !== undefined && info.counts.ready + info.counts.running + info.counts.delayed === 0,
  });
}

test('runs of one priority go in the order of their start, also inside of a bulk [112, 129]', async () => {
  const { engine, seen, note } = await lineOf('fifo');
  const bulk = Array.from({ length: 12 }, (_, index) => `bulk ${index}`);

  await engine.startWorkflow(note, 'first', { queue: 'fifo', id: 'z' });
  await engine.startWorkflows(
    note,
    bulk.map((input) => ({ input, queue: 'fifo' })),
  );
  await engine.startWorkflow(note, 'last', { queue: 'fifo', id: 'a' });
  await drained(engine, 'fifo');

  expect(seen).toEqual(['first', ...bulk, 'last']);
});

test('lower priorities go first, and an unset one is 0 [112]', async () => {
  const { engine, seen, note } = await lineOf('priority');

  for (const priority of [5, undefined, -1, 1, 5])
    await engine.startWorkflow(note, `${priority}`, {
      queue: 'priority',
      ...(priority === undefined ? {} : { priority }),
    });
  await drained(engine, 'priority');

  expect(seen).toEqual(['-1', 'undefined', '1', '5', '5']);
});

test('a changed priority changes the place in line [113]', async () => {
  const { engine, seen, note } = await lineOf('moved');
  await engine.startWorkflow(note, 'first', { queue: 'moved' });
  const second = await engine.startWorkflow(note, 'second', { queue: 'moved' });

  await engine.queues.move(second.id, { priority: -1 });
  await drained(engine, 'moved');

  expect(seen).toEqual(['second', 'first']);
});

test('keys take turns, each in the order of its starts [118]', async () => {
  const { engine, seen, note } = await lineOf('keys');

  await engine.startWorkflows(
    note,
    ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1'].map((input) => ({
      input,
      partitionKey: input.slice(0, 1),
      queue: 'keys',
    })),
  );
  await drained(engine, 'keys');

  expect(seen).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4']);
});

test('a key with very many runs does not keep those with few from going [118, 121]', async () => {
  const { engine, seen, note } = await lineOf('fair');
  await engine.queues.update('fair', { concurrency: 50 });
  const starts = (key: string, count: number): { input: string; partitionKey: string; queue: string }[] =>
    Array.from({ length: count }, () => ({ input: key, partitionKey: key, queue: 'fair' }));

  const many = Number(process.env['PERDURE_FAIR_RUNS'] || 3_000); // 100,000 with npm run test:limits
  await engine.startWorkflows(note, starts('m', many));
  await engine.startWorkflows(note, Array.from({ length: 100 }, (_, index) => starts(`k${index}`, 10)).flat());
  await engine.queues.resume('fair');
  const small = (): number => seen.filter((key) => key !== 'm').length;
  await waitFor(small, { what: 'the small keys to be served', timeoutMs: 20_000, until: (runs) => runs === 1_000 });

  // Ten rounds of 101 keys serve everybody but the big one.
  const lastSmall = seen.findLastIndex((key) => key !== 'm');
  expect(lastSmall).toBeLessThan(10 * 101 + 2 * 101);
  const servedByThen = new Set(seen.slice(0, 2 * 101));
  expect(servedByThen.size).toBe(101);
}, 120_000);

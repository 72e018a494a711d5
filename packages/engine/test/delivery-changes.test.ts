// run/delivery.ts alone, with a history that older code has left: markers, renamed steps, accepted new ones.

import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { makeBench, markRecord, stepRecord } from './support/delivery-bench.js';

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
});
afterEach(() => {
  jest.useRealTimers();
});

test('a new run has every marker, and it is recorded once [52]', () => {
  const bench = makeBench();

  const marks = [bench.delivery.mark('patch: x'), bench.delivery.mark('patch: x')];

  expect(marks).toEqual([true, true]);
  expect(bench.records).toMatchObject([{ seq: 1, name: 'patch: x', kind: 'patch' }]);
});

test('a run that went by before the marker existed does not have it, also later in the same replay [52]', async () => {
  const bench = makeBench({ history: [stepRecord(1, 'a', 'A')] });

  const early = bench.delivery.mark('patch: x');
  bench.call('a');
  await bench.turn();

  expect([early, bench.delivery.mark('patch: x')]).toEqual([false, false]);
  expect(bench.records).toEqual([]);
});

test('a run that has not come to the marker yet gets it [52]', async () => {
  const bench = makeBench({ history: [stepRecord(1, 'a', 'A')] });
  bench.call('a');
  await bench.turn();

  expect(bench.delivery.mark('patch: x')).toBe(true);
  expect(bench.records).toMatchObject([{ seq: 2, name: 'patch: x' }]);
});

test('a recorded marker is found again and not recorded again [52]', async () => {
  const bench = makeBench({ history: [markRecord(1, 'patch: x'), stepRecord(2, 'a', 'A')] });

  expect(bench.delivery.mark('patch: x')).toBe(true);
  bench.call('a');
  await bench.turn();
  expect(bench.received).toEqual(['a: A']);
  expect(bench.records).toEqual([]);
});

test.each([
  ['first', [markRecord(1, 'patch: x'), stepRecord(2, 'a', 'A')]],
  ['last', [stepRecord(1, 'a', 'A'), markRecord(2, 'patch: x')]],
])('a marker that stands %s in the history and is gone from the code does no harm [53]', async (_place, history) => {
  const bench = makeBench({ history });
  bench.call('a');
  const next = bench.call('b');

  await bench.turns(2);
  bench.complete(next, 'B');
  await bench.turn();

  expect(bench.received).toEqual(['a: A', 'b: B']);
  expect(bench.records).toMatchObject([{ seq: 3, name: 'b' }]);
  expect(bench.delivery.isReplaying).toBe(false);
});

test('a renamed step finds what is recorded under its former name, call by call [179]', async () => {
  const bench = makeBench({ history: [stepRecord(1, 'old', 'A'), stepRecord(2, 'old', 'B', 2)] });
  bench.call('new', { formerly: 'old' });
  bench.call('new', { formerly: 'old' });
  const third = bench.call('new', { formerly: 'old' });

  await bench.turns(3);
  bench.complete(third, 'C');
  await bench.turn();

  expect(bench.received).toEqual(['new: A', 'new: B', 'new: C']);
  expect(bench.records).toMatchObject([{ seq: 3, name: 'new', occurrence: 3 }]);
});

test('a renamed step that is recorded under both names finds each where it is [179]', async () => {
  const bench = makeBench({ history: [stepRecord(1, 'old', 'A'), stepRecord(2, 'new', 'B', 2)] });
  bench.call('new', { formerly: 'old' });
  bench.call('new', { formerly: 'old' });

  await bench.turns(2);

  expect(bench.received).toEqual(['new: A', 'new: B']);
  expect(bench.begun).toEqual([]);
});

test('an accepted new step is executed and shifts nothing else [179]', async () => {
  const bench = makeBench({ history: [stepRecord(1, 'a', 'A'), stepRecord(2, 'b', 'B')], acceptsNewSteps: true });
  bench.call('a');
  await bench.turn();
  const inserted = bench.call('new');
  await bench.turn();
  bench.complete(inserted, 'N');
  await bench.turn();
  bench.call('b');
  await bench.turn();

  expect(bench.received).toEqual(['a: A', 'new: N', 'b: B']);
  expect(bench.records).toMatchObject([{ seq: 3, name: 'new' }]);
});

test('an accepted new step keeps its place in later replays [179]', async () => {
  const history = [stepRecord(1, 'a', 'A'), stepRecord(2, 'b', 'B'), stepRecord(3, 'new', 'N')];
  const bench = makeBench({ history, acceptsNewSteps: true });
  bench.call('a');
  await bench.turn();
  bench.call('new');
  await bench.turn();
  bench.call('b');
  await bench.turn();

  expect(bench.received).toEqual(['a: A', 'new: N', 'b: B']);
  expect(bench.begun).toEqual([]);
});

test('nothing is handed over while a call is being prepared', async () => {
  const bench = makeBench();
  const validated = { done: (): void => undefined };
  const prepared = bench.delivery.prepare(() => new Promise<void>((resolve) => (validated.done = resolve)));
  bench.complete(bench.call('a'), 'A');

  await bench.turns(2);
  const early = [[...bench.received], bench.delivery.isQuiet];
  validated.done();
  await prepared;
  await bench.turn();

  expect(early).toEqual([[], false]);
  expect(bench.received).toEqual(['a: A']);
});

// run/delivery.ts alone, turn by turn: what is handed over when, what is recorded, and what does not fit.

import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { makeBench, stepRecord } from './support/delivery-bench.js';

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
});
afterEach(() => {
  jest.useRealTimers();
});

test('one result is handed over per turn, in the order of completion', async () => {
  const bench = makeBench();
  const [a, b] = [bench.call('a'), bench.call('b')];
  bench.complete(b, 'first');
  bench.complete(a, 'second');

  await bench.turn();
  const afterOne = [...bench.received];
  await bench.turn();

  expect(afterOne).toEqual(['b: first']);
  expect(bench.received).toEqual(['b: first', 'a: second']);
});

test('a result is recorded with the next place in the order of delivery, before the code gets it', async () => {
  const bench = makeBench();
  const [a, b] = [bench.call('a'), bench.call('b')];
  bench.complete(b, 2);
  bench.complete(a, 1);

  await bench.turns(2);

  expect(bench.records).toEqual([
    { seq: 1, name: 'b', occurrence: 1, kind: 'step', output: '2', receivedBefore: 0 },
    { seq: 2, name: 'a', occurrence: 1, kind: 'step', output: '1', receivedBefore: 1 },
  ]);
});

test('a second call of a name is told from the first', async () => {
  const bench = makeBench();
  const [first, second] = [bench.call('s'), bench.call('s')];
  bench.complete(second, 2);
  bench.complete(first, 1);

  await bench.turns(2);

  expect(bench.records.map(({ occurrence, output }) => [occurrence, output])).toEqual([
    [2, '2'],
    [1, '1'],
  ]);
});

test('recorded results are handed over in their order, whatever the order of the calls', async () => {
  const bench = makeBench({ history: [stepRecord(1, 'b', 'B'), stepRecord(2, 'a', 'A')] });
  bench.call('a');
  bench.call('b');

  await bench.turns(2);

  expect(bench.received).toEqual(['b: B', 'a: A']);
  expect(bench.records).toEqual([]);
  expect(bench.begun).toEqual([]);
});

test('a call that is not recorded begins when no recorded one is left to hand over', async () => {
  const bench = makeBench({ history: [stepRecord(1, 'a', 'A'), stepRecord(2, 'b', 'B')] });
  bench.call('new');
  bench.call('a');
  bench.call('b');

  await bench.turn();
  const begunEarly = [...bench.begun];
  await bench.turns(2);

  expect(begunEarly).toEqual([]);
  expect(bench.received).toEqual(['a: A', 'b: B']);
  expect(bench.begun).toEqual(['new']);
});

test('a recorded error is thrown again', async () => {
  const bench = makeBench({ history: [{ ...stepRecord(1, 'a', undefined), error: 'declined' }] });
  const result = bench.call('a').promise;

  await bench.turn();

  await expect(result).rejects.toBe('declined');
});

test('another kind of call than the recorded one is a mismatch that names both', async () => {
  const bench = makeBench({ history: [stepRecord(1, 'pause', 'A')] });
  bench.call('pause', { kind: 'sleep' });

  await bench.turn();

  expect(bench.mismatches).toEqual([['step "pause"', 'sleep "pause"']]);
  expect(bench.received).toEqual([]);
});

test('calls that are not recorded, while the recorded one is not asked for, are a mismatch after a second', async () => {
  const bench = makeBench({ history: [stepRecord(1, 'old', 'A')] });
  bench.call('new');
  await bench.turn();

  jest.advanceTimersByTime(999);
  const early = [...bench.mismatches];
  jest.advanceTimersByTime(1);

  expect(early).toEqual([]);
  expect(bench.mismatches).toEqual([['step "old"', 'step "new"']]);
  expect(bench.begun).toEqual([]);
});

test('a recorded result that is asked for within the second is no mismatch', async () => {
  const bench = makeBench({ history: [stepRecord(1, 'old', 'A')] });
  bench.call('new');
  await bench.turn();
  jest.advanceTimersByTime(999);

  bench.call('old');
  await bench.turns(2);
  jest.advanceTimersByTime(2_000);

  expect(bench.mismatches).toEqual([]);
  expect(bench.received).toEqual(['old: A']);
  expect(bench.begun).toEqual(['new']);
});

test('a later result waits for the code to ask for the earlier one', async () => {
  const bench = makeBench({ history: [stepRecord(1, 'a', 'A'), stepRecord(2, 'b', 'B')] });
  bench.call('b');
  await bench.turn();
  jest.advanceTimersByTime(500);

  bench.call('a');
  await bench.turns(2);

  expect(bench.received).toEqual(['a: A', 'b: B']);
});

test('code that does not ask for the earlier result within a second gets the later ones', async () => {
  const bench = makeBench({ history: [stepRecord(1, 'a', 'A'), stepRecord(2, 'b', 'B'), stepRecord(3, 'c', 'C')] });
  bench.call('b');
  bench.call('c');
  await bench.turn();

  jest.advanceTimersByTime(1_000);
  await bench.turns(2);

  expect(bench.received).toEqual(['b: B', 'c: C']);
  expect(bench.mismatches).toEqual([]);
});

test('after the end nothing is begun, recorded or handed over', async () => {
  const bench = makeBench();
  const [a, b] = [bench.call('a'), bench.call('b')];
  bench.complete(a, 1);

  bench.delivery.end();
  bench.complete(b, 2);
  bench.call('c');
  bench.delivery.mark('patch: late');
  await bench.turns(2);

  expect(bench.begun).toEqual(['a', 'b']);
  expect(bench.received).toEqual([]);
  expect(bench.records).toEqual([]);
});

test('no mismatch is told after the end', async () => {
  const bench = makeBench({ history: [stepRecord(1, 'old', 'A')] });
  bench.call('new');
  await bench.turn();

  bench.delivery.end();
  jest.advanceTimersByTime(2_000);

  expect(bench.mismatches).toEqual([]);
});

test('the time of the run is that of its last result, live and in replay', async () => {
  const bench = makeBench({ history: [stepRecord(1, 'a', 'A')] });
  const before = bench.delivery.nowMs;
  const calls = [bench.call('a'), bench.call('b')] as const;

  await bench.turn();
  const replayed = bench.delivery.nowMs;
  bench.clock.nowMs += 5_000;
  await bench.turn();
  bench.complete(calls[1], 'B');
  await bench.turn();

  expect([before, replayed, bench.delivery.nowMs]).toEqual([
    bench.startedAtMs,
    bench.startedAtMs + 1,
    bench.clock.nowMs,
  ]);
});

test('a clock that is set back does not set the time of the run back', async () => {
  const bench = makeBench({ history: [stepRecord(1, 'a', 'A')] });
  bench.call('a');
  await bench.turn();
  const call = bench.call('b');

  bench.clock.nowMs = bench.startedAtMs - 60_000;
  bench.complete(call, 'B');
  await bench.turn();

  expect(bench.delivery.nowMs).toBe(bench.startedAtMs + 1);
});

test('a turn tells whether it gave the code something', async () => {
  const bench = makeBench({ history: [stepRecord(1, 'a', 'A')] });
  const [, b] = [bench.call('a'), bench.call('b')];

  const turns = [bench.delivery.pump(), bench.delivery.pump()];
  bench.complete(b, 'B');
  turns.push(bench.delivery.pump(), bench.delivery.pump());

  expect(turns).toEqual([true, false, true, false]);
});

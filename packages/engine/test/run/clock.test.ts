// The database's time in this process, and timers that run on it.

import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Clock } from '../../src/run/clock.js';

const databaseMs = Date.UTC(2030, 0, 1);
const day = 86_400_000;

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

function setClock(): Clock {
  const clock = new Clock();
  clock.set(databaseMs, performance.now());
  return clock;
}

test('until it is set, it tells the time of the machine', () => {
  expect(Math.abs(new Clock().now() - Date.now())).toBeLessThanOrEqual(1);
});

test('it tells the time of the database, in whole milliseconds, and goes on with it', () => {
  const clock = setClock();

  const before = clock.now();
  jest.advanceTimersByTime(1_500);

  expect([before, clock.now()]).toEqual([databaseMs, databaseMs + 1_500]);
});

test('the answer counts for the middle of the time that it took', () => {
  const clock = new Clock();
  const askedAt = performance.now();
  jest.advanceTimersByTime(100);

  clock.set(databaseMs, askedAt);

  expect(clock.now()).toBe(databaseMs + 50);
});

test('a jump of the machine’s wall clock moves neither the time nor a timer [193]', () => {
  const clock = setClock();
  const callback = jest.fn();
  clock.at(databaseMs + 1_000, callback);

  jest.setSystemTime(Date.now() + 10 * 60_000);
  jest.advanceTimersByTime(999);

  expect(clock.now()).toBe(databaseMs + 999);
  expect(callback).not.toHaveBeenCalled();
  jest.advanceTimersByTime(1);
  expect(callback).toHaveBeenCalledTimes(1);
});

test('a moment that has passed calls back, but not before the caller has gone on', () => {
  const callback = jest.fn();

  setClock().at(databaseMs - day, callback);

  expect(callback).not.toHaveBeenCalled();
  jest.advanceTimersByTime(1);
  expect(callback).toHaveBeenCalledTimes(1);
});

test.each([day, 24 * day, 25 * day, 60 * day, 400 * day])('a timer of %i ms fires then and not before [79]', (ms) => {
  const callback = jest.fn();
  setClock().at(databaseMs + ms, callback);

  jest.advanceTimersByTime(ms - 1);
  const early = callback.mock.calls.length;
  jest.advanceTimersByTime(1);

  expect([early, callback.mock.calls.length]).toEqual([0, 1]);
});

test('a timer that was called off does not fire, however long it had been', () => {
  const callback = jest.fn();
  const cancel = setClock().at(databaseMs + 60 * day, callback);
  jest.advanceTimersByTime(30 * day);

  cancel();
  jest.advanceTimersByTime(60 * day);

  expect(callback).not.toHaveBeenCalled();
  expect(jest.getTimerCount()).toBe(0);
});

test('a timer waits longer when the clock is set back meanwhile', () => {
  const clock = setClock();
  const callback = jest.fn();
  clock.at(databaseMs + 1_000, callback);
  jest.advanceTimersByTime(500);

  clock.set(databaseMs, performance.now());
  jest.advanceTimersByTime(999);
  const early = callback.mock.calls.length;
  jest.advanceTimersByTime(1);

  expect([early, callback.mock.calls.length]).toEqual([0, 1]);
});

test('a timer fires at once when the clock is set past its moment', () => {
  const clock = setClock();
  const [reached, later] = [jest.fn(), jest.fn()];
  clock.at(databaseMs + 30 * day, reached);
  clock.at(databaseMs + 32 * day, later);

  const hasLeapt = clock.set(databaseMs + 31 * day, performance.now());
  jest.advanceTimersByTime(1);

  expect([hasLeapt, reached.mock.calls.length, later.mock.calls.length]).toEqual([true, 1, 0]);
});

test('a correction is no leap, and moves no timer that is not due', () => {
  const clock = setClock();
  const callback = jest.fn();
  clock.at(databaseMs + 1_000, callback);

  const hasLeapt = clock.set(databaseMs + 5, performance.now());
  jest.advanceTimersByTime(900);

  expect([hasLeapt, callback.mock.calls.length]).toEqual([false, 0]);
});

test('an answer that was long on its way counts only for more than its way explains', () => {
  const clock = setClock();
  const askedAt = performance.now();
  jest.advanceTimersByTime(2_000);

  const small = clock.set(databaseMs + 2_900, askedAt);
  const large = clock.set(databaseMs + day, askedAt);

  expect([small, large]).toEqual([false, true]);
});

// Waiting for a hint, with a time limit of any length.

import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Hint } from '../../src/run/hint.js';

const day = 86_400_000;

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test('a wait of 30 days, longer than a timer can be, ends after 30 days', async () => {
  let hasCome: boolean | undefined;
  void new Hint().wait(30 * day).then((answer) => (hasCome = answer));

  await jest.advanceTimersByTimeAsync(29.9 * day);
  expect(hasCome).toBeUndefined();
  await jest.advanceTimersByTimeAsync(0.1 * day);

  expect(hasCome).toBe(false);
});

test('a hint ends such a wait at once, late as well', async () => {
  const hint = new Hint();
  const wait = hint.wait(30 * day);

  await jest.advanceTimersByTimeAsync(29 * day);
  hint.give();

  expect(await wait).toBe(true);
  expect(jest.getTimerCount()).toBe(0);
});

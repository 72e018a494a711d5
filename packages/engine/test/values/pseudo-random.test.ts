import { expect, test } from '@jest/globals';
import { seededGenerator } from '../../src/values/pseudo-random.js';

test('the same seed gives the same stream, today and in every release', () => {
  const { next, uuid } = seededGenerator('order-7');

  // Recorded runs depend on these values: a change here changes what their replay sees.
  expect([next(), next(), next()]).toEqual([0.874949448862112, 0.8987865633311267, 0.2954344852634745]);
  expect([uuid(), uuid()]).toEqual(['7dd044b2-12f7-4380-b845-acf4cbf4ad15', '37f06465-78cb-4a4b-a9a8-64c11d0b2d01']);
});

test('similar seeds give streams that share nothing', () => {
  const numbers = Array.from({ length: 1000 }, (_, n) => seededGenerator(`order-${n}`).next());

  expect(new Set(numbers).size).toBe(1000);
  expect(mean(numbers)).toBeCloseTo(0.5, 1);
});

test('numbers are spread evenly from 0 up to but without 1', () => {
  const { next } = seededGenerator('spread');
  const numbers = Array.from({ length: 100_000 }, next);
  const counts = Array.from({ length: 10 }, () => 0);
  for (const number of numbers) counts[Math.floor(number * 10)] = (counts[Math.floor(number * 10)] ?? 0) + 1;

  expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...numbers)).toBeLessThan(1);
  // 10,000 each, with a deviation of 95; the seed is fixed, so the test is too.
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(475);
});

test('numbers use all 53 bits', () => {
  const { next } = seededGenerator('bits');
  const lowest = Array.from({ length: 1000 }, () => (next() * 2 ** 53) % 2);

  expect(mean(lowest)).toBeCloseTo(0.5, 1);
});

test('UUIDs have the form of version 4 and do not repeat', () => {
  const { uuid } = seededGenerator('uuids');
  const uuids = Array.from({ length: 10_000 }, uuid);

  for (const each of uuids) expect(each).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  expect(new Set(uuids).size).toBe(10_000);
  expect(new Set(uuids.map((each) => each.charAt(19))).size).toBe(4);
});

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

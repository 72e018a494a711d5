import { expect, test } from '@jest/globals';
import { seededRandom } from '../src/index.js';

const draws = Array.from({ length: 1_000 });

test('one seed gives one sequence, another seed another', () => {
  const sequence = (seed: number): number[] => {
    const random = seededRandom(seed);
    return draws.map(() => random.next());
  };

  expect(sequence(1)).toEqual(sequence(1));
  expect(sequence(1)).not.toEqual(sequence(2));
});

test('whole numbers include both ends and nothing beyond', () => {
  const random = seededRandom(7);

  const seen = new Set(draws.map(() => random.integer(3, 6)));

  expect(seen).toEqual(new Set([3, 4, 5, 6]));
});

test('every value is picked sooner or later', () => {
  const random = seededRandom(7);

  const seen = new Set(draws.map(() => random.pick(['a', 'b', 'c'])));

  expect(seen).toEqual(new Set(['a', 'b', 'c']));
});

test('nothing can be picked from nothing', () => {
  expect(() => seededRandom(7).pick([])).toThrow('pick needs at least one value');
});

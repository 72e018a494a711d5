import { expect, test } from '@jest/globals';
import { plain } from '../src/index.js';

test.each([
  [new Date(0), '1970-01-01T00:00:00.000Z'],
  [new Date(NaN), null],
  [10n ** 20n, '100000000000000000000'],
  [new Map([['a', new Set([1n])]]), [['a', ['1']]]],
  [Buffer.from([0, 255]), 'AP8='],
  [new Uint8Array([0, 255]).subarray(1), '/w=='],
  [new TypeError('wrong', { cause: 1 }), { name: 'TypeError', message: 'wrong' }],
  [new URL('http://a.example/'), 'http://a.example/'],
  [{ a: [undefined, { b: new Date(0) }] }, { a: [undefined, { b: '1970-01-01T00:00:00.000Z' }] }],
  [null, null],
])('%p becomes plain JSON', (value, expected) => {
  expect(plain(value)).toEqual(expected);
});

test('a key __proto__ stays a key', () => {
  const given: unknown = JSON.parse('{"__proto__":{"a":1}}');

  expect(JSON.stringify(plain(given))).toBe('{"__proto__":{"a":1}}');
});

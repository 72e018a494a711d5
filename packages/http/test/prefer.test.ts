import { expect, test } from '@jest/globals';
import { parsePrefer } from '../src/index.js';

test.each([
  [undefined, false, undefined],
  [null, false, undefined],
  ['', false, undefined],
  ['respond-async', true, undefined],
  ['Respond-Async, WAIT=10', true, 10],
  ['wait=10,respond-async', true, 10],
  ['wait="7"', false, 7],
  ['wait=5, wait=50', false, 5],
  ['respond-async; x=1, wait = 3', true, 3],
  ['foo="a, wait=9"', false, undefined],
  ['foo="a\\", wait=9", wait=2', false, 2],
  ['wait=', false, undefined],
  ['wait=1.5', false, undefined],
  ['wait=-1', false, undefined],
  ['wait=99999999999', false, undefined],
  ['"', false, undefined],
  ['=,;,"', false, undefined],
])('Prefer: %s', (header, respondAsync, waitSeconds) => {
  expect(parsePrefer(header)).toEqual({ respondAsync, waitSeconds });
});

test('no header makes the reading slow', () => {
  const begunAt = performance.now();

  for (const part of ['"', '\\"', ' ', ';', ',', 'a=', '="', 'a ; ']) parsePrefer(part.repeat(1_000 / part.length));

  const longer = parsePrefer(`wait=1${' '.repeat(20_000)}`);
  expect(longer).toEqual({ respondAsync: false, waitSeconds: undefined });

  expect(performance.now() - begunAt).toBeLessThan(1_000);
});

import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseDuration } from '../../src/values/duration.js';
import { isPerdureError } from '../../src/values/errors.js';

const hour = 3_600_000;
const day = 24 * hour;

test.each([
  [0, 0],
  [1500, 1500],
  [0.4, 0],
  ['500ms', 500],
  ['1s', 1000],
  ['5m', 300_000],
  ['2h', 2 * hour],
  ['7d', 7 * day],
  ['2 weeks', 14 * day],
  ['1.5 hours', 1.5 * hour],
  ['1h30m', 1.5 * hour],
  ['1h 30m', 1.5 * hour],
  ['1 day 2 hours 3 minutes 4 seconds 5 milliseconds', day + 2 * hour + 184_005],
  [' 10 Min ', 600_000],
  ['0.1h', 360_000],
  ['0s', 0],
  ['36500000 days', 100_000 * 365 * day],
])('%p is %d ms', (value, ms) => {
  expect(parseDuration(value, 'timeout')).toBe(ms);
});

test.each([
  [-1],
  [NaN],
  [Infinity],
  [1e20],
  [''],
  ['5'],
  ['s'],
  ['-5s'],
  ['5 parsecs'],
  ['1 month'],
  ['1h and 30m'],
  ['1e3s'],
  ['.5s'],
  ['5s!'],
  ['99999999999999w'],
  ['1s'.repeat(20)],
  ['36500001 days'],
])('%p is refused', (value) => {
  expect(() => parseDuration(value, 'timeout')).toThrow(/^DURATION_INVALID: timeout cannot be /);
});

test.each([[undefined], [null], [{}], [[1000]], [1000n], [new Date(0)], [true]])(
  '%p from JavaScript is refused',
  (value) => {
    const parse: (value: never, what: string) => number = parseDuration;

    expect(() => parse(value as never, 'timeout')).toThrow('DURATION_INVALID');
  },
);

test('the error has the value and names the option', () => {
  expect(thrownBy(() => parseDuration('5 parsecs', 'timeout'))).toMatchObject({
    code: 'DURATION_INVALID',
    details: { value: '5 parsecs', what: 'timeout' },
  });
});

test('any text is either a number of whole milliseconds or refused', () => {
  const pieces = fc.array(fc.constantFrom('1', '0', '.', 'h', 'ms', 'm', ' ', 'day', '-', 'e', 'week', 's'));
  fc.assert(
    fc.property(pieces, (texts) => {
      let ms = 0;
      const refusal = thrownBy(() => (ms = parseDuration(texts.join(''), 'timeout')));

      expect(Number.isSafeInteger(ms) && ms >= 0).toBe(true);
      expect(refusal === undefined || isPerdureError(refusal, 'DURATION_INVALID')).toBe(true);
    }),
  );
});

test('long hostile text is refused at once', () => {
  const startedAt = performance.now();

  expect(() => parseDuration(`${'1'.repeat(200_000)} `, 'timeout')).toThrow('DURATION_INVALID');
  expect(() => parseDuration(`1${' '.repeat(200_000)}`, 'timeout')).toThrow('DURATION_INVALID');
  expect(performance.now() - startedAt).toBeLessThan(500);
});

function thrownBy(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return error;
  }
}

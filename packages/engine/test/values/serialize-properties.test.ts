import { isDeepStrictEqual } from 'node:util';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isPerdureError } from '../../src/values/errors.js';
import { decode, decodeError, encode, encodeError } from '../../src/values/serialize.js';

const roundTrip = (value: unknown): unknown => decode(encode(value, 'a value'), 'a value');

const bytes = fc.oneof(
  fc.uint8Array(),
  fc.int8Array(),
  fc.uint8ClampedArray(),
  fc.uint16Array(),
  fc.int16Array(),
  fc.uint32Array(),
  fc.int32Array(),
  fc.float32Array(),
  fc.float64Array(),
  fc.bigInt64Array(),
  fc.bigUint64Array(),
  fc.uint8Array().map((array) => Buffer.from(array)),
  fc.uint8Array().map((array) => array.slice().buffer),
);

const leaf = fc.oneof(
  fc.constantFrom(null, undefined, true, false, -0, NaN, Infinity, '~', '__proto__'),
  fc.double(),
  fc.integer(),
  fc.bigInt(),
  fc.string({ unit: 'binary' }),
  fc.date({ noInvalidDate: true }),
  fc.webUrl().map((text) => new URL(text)),
  fc.constantFrom(/a+/g, /[\]/\\]/u, new RegExp('')),
  bytes,
);

const key = fc.oneof(fc.string(), fc.constantFrom('~', '__proto__', 'v', 'toJSON', 'constructor', '0', ''));

/** Values as rich as they come: everything that is promised to come back equal, in everything that can hold it. */
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: true }),
    fc.array(fc.tuple(leaf, tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(tie('value'), { maxLength: 4 }).map((elements) => new Set(elements)),
  ),
}));

/** Anything at all, also what cannot be recorded. */
const anything = fc.oneof(
  fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withSparseArray: true,
  }),
  fc.func(fc.integer()),
  fc.array(fc.oneof(value, fc.constantFrom(Symbol('s'), new WeakMap(), Promise.resolve()))),
);

test('every recordable value comes back equal', () => {
  fc.assert(
    // Not Jest's comparison: it takes a property called "constructor" for the class.
    fc.property(value, (given) => expect(isDeepStrictEqual(roundTrip(given), given)).toBe(true)),
    { numRuns: 2000 },
  );
});

test('what comes back is written as the same text', () => {
  fc.assert(
    fc.property(value, (given) => {
      const text = encode(given, 'a value');

      expect(encode(decode(text, 'a value'), 'a value')).toBe(text);
    }),
  );
});

test('plain JSON without the tag key is written as JSON writes it and read as JSON reads it', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (given) => {
      const json = JSON.stringify(given);
      fc.pre(!json.includes('"~":') && isWithoutMinusZero(given));

      expect(encode(given, 'a value')).toBe(json);
      expect(decode(json, 'a value')).toStrictEqual(given);
    }),
  );
});

test('writing does not change the value', () => {
  fc.assert(
    fc.property(value, (given) => {
      const before = encode(given, 'a value');
      roundTrip({ given });

      expect(encode(given, 'a value')).toBe(before);
    }),
  );
});

test('anything is either recorded or refused with a path', () => {
  fc.assert(
    fc.property(anything, (given) => {
      const refusal = thrownBy(() => roundTrip(given));

      expect(refusal === undefined || isPerdureError(refusal, 'UNSERIALIZABLE')).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

test('anything that is thrown is recorded and read without throwing', () => {
  fc.assert(
    fc.property(anything, fc.string(), (given, message) => {
      const error = Object.assign(new Error(message, { cause: given }), { part: given });
      const decoded = decodeError(encodeError(error));

      expect(() => decodeError(encodeError(given))).not.toThrow();
      expect(decoded).toMatchObject({ name: 'Error', message, stack: error.stack });
    }),
    { numRuns: 1000 },
  );
});

const tag = fc.constantFrom(...'undefined number bigint date map set regexp url bytes error object'.split(' '));
const field = fc.constantFrom(...'v type flags name message stack cause errors properties __proto__'.split(' '));

/** JSON with tags, but with the wrong things beside them. */
const { record } = fc.letrec<{ record: unknown }>((tie) => ({
  record: fc.oneof(
    { maxDepth: 4 },
    fc.jsonValue(),
    fc.tuple(tag, fc.dictionary(field, tie('record'))).map(([name, fields]) => ({ ...fields, '~': name })),
    fc.array(tie('record'), { maxLength: 3 }),
  ),
}));

test('any text is either read or refused as corrupt', () => {
  const json = record.map((tagged) => JSON.stringify(tagged));
  fc.assert(
    fc.property(fc.oneof(json, fc.string()), (text) => {
      const refusal = thrownBy(() => decode(text, 'a value'));

      expect(refusal === undefined || isPerdureError(refusal, 'PAYLOAD_CORRUPT')).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

function isWithoutMinusZero(json: unknown): boolean {
  if (typeof json === 'object' && json !== null) return Object.values(json).every(isWithoutMinusZero);
  return !Object.is(json, -0);
}

function thrownBy(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return error;
  }
}

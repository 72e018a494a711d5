import { describe, expect, test } from '@jest/globals';
import { decode, encode } from '../../src/values/serialize.js';

function fail(): never {
  throw new RangeError('no');
}

const roundTrip = (value: unknown): unknown => decode(encode(value, 'a value'), 'a value');

describe('plain JSON', () => {
  test.each<[unknown]>([
    [null],
    [true],
    [42.5],
    [''],
    ['naïve \u0000 \u2028 \ud800 𝄞'],
    [[]],
    [{}],
    [{ a: [1, { b: null }], 'unit price': 'x', toJSON: 'a plain property' }],
    [{ a: '~', b: '"~"' }],
    [JSON.parse('{"__proto__":{"admin":true}}')],
  ])('%j stands for itself', (value) => {
    expect(encode(value, 'a value')).toBe(JSON.stringify(value));
    expect(roundTrip(value)).toStrictEqual(value);
  });

  test('written by another language is read, white space and all', () => {
    expect(decode(' {"at" : {"~" :\n"date", "v":"2026-01-31T13:00:00+01:00"}, "n": 1e2} ', 'a value')).toStrictEqual({
      at: new Date('2026-01-31T12:00:00Z'),
      n: 100,
    });
  });
});

describe('beyond JSON', () => {
  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['undefined in places', { a: undefined, b: [undefined, 1] }],
    ['NaN', NaN],
    ['infinities', [Infinity, -Infinity]],
    ['minus zero', [-0, 0]],
    ['a bigint', { n: -12345678901234567890n }],
    ['a date', new Date('2026-01-31T12:00:00.123Z')],
    [
      'a map with keys of any type',
      new Map<unknown, unknown>([
        [{ id: 1 }, new Set([1n])],
        ['a', undefined],
        [NaN, 1],
      ]),
    ],
    ['a set', new Set([new Date(0), [new Map([[1, 2]])]])],
    ['a regular expression', /a\/[\]"]+/giu],
    ['a URL', new URL('https://user:pw@example.org:8080/a%20b?c=d#e')],
    ['a buffer', Buffer.from('durable')],
    ['an array buffer', new Uint8Array([1, 2, 255]).buffer],
    ['floats', new Float64Array([NaN, -0, 1.5, Infinity])],
    ['small floats', new Float32Array([NaN, 0.5])],
    ['bytes', new Uint8Array([0, 255])],
    ['signed bytes', new Int8Array([-128, 127])],
    ['clamped bytes', new Uint8ClampedArray([0, 255])],
    ['16 bits', [new Int16Array([-32768]), new Uint16Array([65535])]],
    ['32 bits', [new Int32Array([-2147483648]), new Uint32Array([4294967295])]],
    ['64 bits', [new BigInt64Array([-1n]), new BigUint64Array([2n ** 64n - 1n])]],
    ['empty bytes', [new Uint8Array(), Buffer.alloc(0), new Map(), new Set()]],
    ['the tag key', { '~': 'date', v: '2026' }],
    ['the tag key, nested', { '~': { '~': new Date(0) }, a: { '~': undefined } }],
    ['an own __proto__ beside a date', JSON.parse('{"__proto__":{"admin":true},"at":{"__proto__":[]}}')],
  ])('%s comes back equal', (_name, value) => {
    expect(roundTrip(value)).toStrictEqual(value);
    expect(roundTrip({ deep: [new Date(0), value] })).toStrictEqual({ deep: [new Date(0), value] });
  });

  test('an own __proto__ stays a property and changes no prototype', () => {
    const value = roundTrip({ list: [JSON.parse('{"__proto__":{"admin":true},"at":1}'), 1n] }) as { list: object[] };

    expect(Object.keys(value.list[0] ?? {})).toEqual(['__proto__', 'at']);
    expect(value.list[0]).not.toHaveProperty('admin');
    expect({}).not.toHaveProperty('admin');
  });

  test('an invalid date comes back invalid', () => {
    const value = roundTrip(new Date(NaN)) as Date;

    expect([value.constructor, value.getTime()]).toEqual([Date, NaN]);
  });

  test('a view of a part of a buffer keeps that part only', () => {
    const part = new DataView(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2);
    const value = roundTrip([part, Buffer.from('0123456789').subarray(3, 5)]) as [DataView, Buffer];

    expect([value[0].byteLength, value[0].getUint8(0), value[1].toString()]).toEqual([2, 2, '34']);
  });

  test('a buffer comes back as a Buffer', () => {
    expect(Buffer.isBuffer(roundTrip(Buffer.from('x')))).toBe(true);
  });

  test('is readable as JSON', () => {
    const value = { at: new Date(0), ids: new Set([1n]), none: undefined };

    expect(encode(value, 'a value')).toBe(
      '{"at":{"~":"date","v":"1970-01-01T00:00:00.000Z"},"ids":{"~":"set","v":[{"~":"bigint","v":"1"}]},"none":{"~":"undefined"}}',
    );
  });
});

describe('what is simplified', () => {
  class Money {
    constructor(readonly cents: number) {}
    toJSON(): unknown {
      return { cents: this.cents, at: new Date(0) };
    }
  }
  class Itself {
    readonly a = 1;
    toJSON(): unknown {
      return this;
    }
  }
  class Rows extends Array<number> {}

  test('an instance with toJSON is recorded in that form', () => {
    expect(roundTrip({ price: new Money(5) })).toStrictEqual({ price: { cents: 5, at: new Date(0) } });
    expect(roundTrip(new Itself())).toStrictEqual({ a: 1 });
  });

  test('holes become undefined', () => {
    const sparse = [1];
    sparse[3] = 4;

    expect(roundTrip(sparse)).toStrictEqual([1, undefined, undefined, 4]);
  });

  test('of a subclass of Array, and of a match, the elements are kept', () => {
    expect(roundTrip(Rows.of(1, 2))).toStrictEqual([1, 2]);
    expect(roundTrip(/(a)(b)?/.exec('a'))).toStrictEqual(['a', 'a', undefined]);
  });

  test('an object without a prototype gets one, and symbol keys are left out', () => {
    expect(roundTrip(Object.assign(Object.create(null), { a: 1, [Symbol('s')]: 2 }))).toStrictEqual({ a: 1 });
  });

  test('an object in two places becomes two objects', () => {
    const shared = { at: new Date(0) };
    const [first, second] = roundTrip([shared, shared]) as unknown[];

    expect(first).toStrictEqual(second);
    expect(first).not.toBe(second);
  });
});

describe('what cannot be recorded', () => {
  class Order {
    readonly id = 7;
  }
  const cycle: Record<string, unknown> = {};
  cycle['next'] = { list: [1, cycle] };

  test.each<[unknown, string, string]>([
    [{ order: { items: [1, 2, 3, { fn: () => 1 }] } }, '$.order.items[3].fn', 'the function fn'],
    [() => 1, '$', 'a function'],
    [{ 'unit price': Symbol('x') }, '$["unit price"]', 'a symbol'],
    [new Map([['sku-1', { cost: Order }]]), '$.get("sku-1").cost', 'the function Order'],
    [new Map([[{}, new Order()]]), '$.entry(0)', 'an instance of Order'],
    [new Map([[new Order(), 1]]), '$.keys()[0]', 'an instance of Order'],
    [new Set([1, new Order()]), '$[1]', 'an instance of Order'],
    [{ a: Promise.resolve() }, '$.a', 'a Promise (await it first)'],
    [new WeakMap(), '$', 'an instance of WeakMap'],
    [Object('boxed'), '$', 'an instance of String'],
    [new SharedArrayBuffer(1), '$', 'an instance of SharedArrayBuffer'],
    [Object.create({}), '$', 'an instance of a class without a name'],
    [new (class {})(), '$', 'an instance of a class without a name'],
    [new (class extends Order {})(), '$', 'an instance of Order'],
    [cycle, '$.next.list[1]', 'a reference to an object around it (a cycle)'],
    [new Map([[1, cycle]]), '$.get(1).next.list[1]', 'a reference to an object around it (a cycle)'],
  ])('%p is refused with its path', (value, path, type) => {
    expect(() => encode(value, 'the input')).toThrow(
      expect.objectContaining({ code: 'UNSERIALIZABLE', details: { what: 'the input', path, type } }),
    );
  });

  test.each<[string, object]>([
    ['a getter', Object.defineProperty({}, 'bad', { enumerable: true, get: fail })],
    ['toJSON', { bad: { toJSON: fail } }],
    ['a proxy', { bad: new Proxy({}, { ownKeys: fail }) }],
  ])('%s that throws is named, with the cause', (_name, value) => {
    expect(() => encode(value, 'the input')).toThrow(
      expect.objectContaining({
        code: 'UNSERIALIZABLE',
        details: { what: 'the input', path: '$.bad', type: 'a value that threw when it was read' },
        cause: new RangeError('no'),
      }),
    );
  });

  test('a revoked proxy is refused', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();

    expect(() => encode({ proxy }, 'the input')).toThrow('at $.proxy');
  });

  test('a getter that answers differently the second time is not lost', () => {
    let reads = 0;
    const value = {
      get next(): unknown {
        return (reads += 1) === 1 ? 1 : 2n;
      },
    };

    expect(() => encode(value, 'the input')).not.toThrow();
    expect(reads).toBeGreaterThan(1);
  });
});

describe('deep nesting', () => {
  const nested = (levels: number, wrap: (inner: unknown) => unknown): unknown =>
    Array.from({ length: levels }).reduce((inner) => wrap(inner), 1n);

  test.each<[string, (inner: unknown) => unknown]>([
    ['arrays', (inner) => [inner]],
    ['objects', (inner) => ({ inner })],
    ['maps', (inner) => new Map([['inner', inner]])],
    ['errors', (inner) => ({ cause: inner })],
  ])('200 levels of %s are recorded, 10,000 are refused', (_name, wrap) => {
    expect(roundTrip(nested(200, wrap))).toStrictEqual(nested(200, wrap));
    expect(() => encode(nested(10_000, wrap), 'the input')).toThrow(
      'the input has more than 200 levels of nesting at $',
    );
  });

  test('text with 10,000 levels is refused, with tags and without', () => {
    const plain = '['.repeat(10_000) + ']'.repeat(10_000);
    const tagged = `${'{"~":"object","v":{"a":'.repeat(10_000)}1${'}}'.repeat(10_000)}`;

    expect(() => decode(plain, 'the input')).toThrow('UNSERIALIZABLE: the input has more than 200 levels');
    expect(() => decode(tagged, 'the input')).toThrow('UNSERIALIZABLE: the input has more than 200 levels');
  });
});

describe('text that makes no sense', () => {
  test.each([
    [''],
    ['{'],
    ['undefined'],
    ['{"~":1}'],
    ['{"~":null}'],
    ['{"~":"constructor"}'],
    ['{"~":"temporal","v":"2026"}'],
    ['{"~":"number","v":"12"}'],
    ['{"~":"bigint","v":"1.5"}'],
    ['{"~":"bigint"}'],
    ['{"~":"date","v":"yesterday"}'],
    ['{"~":"date"}'],
    ['{"~":"map","v":{}}'],
    ['{"~":"map","v":[1]}'],
    ['{"~":"map","v":[[1]]}'],
    ['{"~":"set","v":"abc"}'],
    ['{"~":"regexp","v":"(","flags":""}'],
    ['{"~":"regexp","v":"a"}'],
    ['{"~":"url","v":"not a url"}'],
    ['{"~":"bytes","type":"Function","v":""}'],
    ['{"~":"bytes","type":"Float64Array","v":"AAAA"}'],
    ['{"~":"object","v":[]}'],
    ['{"~":"object"}'],
    ['{"~":"error","name":"Error"}'],
    ['{"~":"error","message":"m","properties":[]}'],
  ])('%s is refused with a reason', (text) => {
    expect(() => decode(text, 'the result')).toThrow(/^PAYLOAD_CORRUPT: the result cannot be read back: .+/);
  });

  test('the reason names an unknown tag', () => {
    expect(() => decode('[{"~":"temporal"}]', 'the result')).toThrow('"temporal" is no tag that this release knows');
  });
});

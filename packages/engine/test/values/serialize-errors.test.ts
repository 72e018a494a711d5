import { describe, expect, test } from '@jest/globals';
import { PerdureError } from '../../src/values/errors.js';
import { decode, decodeError, encode, encodeError } from '../../src/values/serialize.js';

const roundTrip = (error: unknown): Error & Record<string, unknown> => {
  const decoded = decodeError(encodeError(error));
  expect(decoded).toBeInstanceOf(Error);
  return decoded as Error & Record<string, unknown>;
};

function fail(): never {
  throw new RangeError('no');
}

class PaymentError extends Error {
  override readonly name = 'PaymentError';
  get code(): string {
    return 'E_DECLINED';
  }
  readonly bank = { id: 7n, at: new Date(0) };
}

describe('a thrown error', () => {
  test.each([
    [new Error('m')],
    [new TypeError('m')],
    [new RangeError('')],
    [new SyntaxError('m')],
    [new ReferenceError('m')],
    [new EvalError('m')],
    [new URIError('m')],
  ])('%p keeps class, name, message and stack', (error) => {
    const decoded = roundTrip(error);

    expect(Object.getPrototypeOf(decoded)).toBe(Object.getPrototypeOf(error));
    expect([decoded.name, decoded.message, decoded.stack]).toEqual([error.name, error.message, error.stack]);
    expect(Object.keys(decoded)).toEqual([]);
  });

  test('of a class of its own keeps name, properties, and a code from the prototype', () => {
    const decoded = roundTrip(new PaymentError('declined'));

    expect(decoded).toMatchObject({ name: 'PaymentError', message: 'declined', bank: { id: 7n, at: new Date(0) } });
    expect(decoded['code']).toBe('E_DECLINED');
    expect(Object.keys(decoded)).toEqual(['bank', 'code']);
  });

  test('keeps the status that its class has for all of them', () => {
    class NotFound extends Error {}
    Object.assign(NotFound.prototype, { status: 404, statusCode: 404, expose: true });

    expect(roundTrip(new NotFound('gone'))).toMatchObject({ status: 404, statusCode: 404, expose: true });
  });

  test('that derives from a built-in class stays one of them', () => {
    class ParseError extends SyntaxError {}
    const decoded = roundTrip(new ParseError('line 3'));

    expect(decoded).toBeInstanceOf(SyntaxError);
    expect(decoded.name).toBe('SyntaxError');
  });

  test('whose name is that of another class keeps both', () => {
    const decoded = roundTrip(Object.assign(new RangeError('m'), { name: 'TypeError' }));

    expect(decoded).toBeInstanceOf(RangeError);
    expect(decoded.name).toBe('TypeError');
  });

  test('keeps its chain of causes, whatever they are', () => {
    const root = Object.assign(new TypeError('root'), { code: 'ECONNRESET' });
    const decoded = roundTrip(new Error('outer', { cause: new Error('middle', { cause: root }) }));

    expect(decoded.cause).toMatchObject({ message: 'middle', cause: { message: 'root', code: 'ECONNRESET' } });
    expect(roundTrip(new Error('m', { cause: 'text' })).cause).toBe('text');
    expect(Object.hasOwn(roundTrip(new Error('m', { cause: undefined })), 'cause')).toBe(true);
    expect(Object.hasOwn(roundTrip(new Error('m')), 'cause')).toBe(false);
  });

  test('that aggregates keeps its errors', () => {
    const decoded = roundTrip(new AggregateError([new TypeError('a'), 'b'], 'all failed'));

    expect(decoded).toBeInstanceOf(AggregateError);
    expect(decoded['errors']).toEqual([new TypeError('a'), 'b']);
    expect(Object.keys(decoded)).toEqual([]);
  });

  test('may have a property called errors without being an aggregate', () => {
    const decoded = roundTrip(Object.assign(new Error('invalid'), { errors: { name: 'too short' } }));

    expect(decoded).not.toBeInstanceOf(AggregateError);
    expect(decoded['errors']).toEqual({ name: 'too short' });
  });

  test('of an AbortSignal comes back as a DOMException', () => {
    const decoded = decodeError(encodeError(AbortSignal.abort().reason));

    expect(decoded).toBeInstanceOf(DOMException);
    expect(decoded).toMatchObject({ name: 'AbortError', code: 20 });
  });

  test('of perdure keeps code, details, status, cause and errors', () => {
    const attempts = [new Error('first'), new TypeError('second')];
    const details = { step: 'charge', attempts: 2 };
    const error = new PerdureError('STEP_RETRIES_EXHAUSTED', details, { cause: attempts[1], errors: attempts });
    const decoded = roundTrip(error);

    expect(decoded).toBeInstanceOf(PerdureError);
    expect(decoded).toMatchObject({ code: 'STEP_RETRIES_EXHAUSTED', details, httpStatus: 500, isRetryable: false });
    expect([decoded.message, decoded.stack, decoded.name]).toEqual([error.message, error.stack, 'PerdureError']);
    expect([decoded.cause, decoded['errors']]).toEqual([attempts[1], attempts]);
  });

  test('of perdure may have a code that only a newer release knows', () => {
    const text = encodeError(new PerdureError('RUN_NOT_FOUND', { id: 'a' })).replaceAll('RUN_NOT_FOUND', 'RUN_FROZEN');

    expect(decodeError(text)).toMatchObject({ code: 'RUN_FROZEN', httpStatus: 404 });
    expect(decodeError(text)).toBeInstanceOf(PerdureError);
  });

  test('written by another language needs a message only', () => {
    expect(decodeError('{"~":"error","message":"no stock"}')).toMatchObject({
      name: 'Error',
      message: 'no stock',
      stack: 'Error: no stock',
    });
  });

  test('that was stored twice is the same as stored once', () => {
    const once = encodeError(new PaymentError('declined', { cause: new AggregateError([new TypeError('a')]) }));

    expect(encodeError(decodeError(once))).toBe(once);
  });
});

describe('a thrown value that is no error', () => {
  test.each([['text'], [''], [undefined], [null], [0], [1n], [{ code: 'E', list: [new Date(0)] }], [[1]]])(
    '%p comes back as it is',
    (value) => {
      expect(decodeError(encodeError(value))).toStrictEqual(value);
    },
  );

  test('comes back as plain data if it is an instance of a class', () => {
    class Response {
      readonly status = 404;
      readonly retry = () => 1;
    }

    expect(decodeError(encodeError(new Response()))).toEqual({
      status: 404,
      retry: '[not recorded: the function retry]',
    });
  });

  test.each([
    [() => 1, '[not recorded: a function]'],
    [Symbol('s'), '[not recorded: a symbol]'],
    [new WeakSet(), '[not recorded: an instance of WeakSet]'],
  ])('%p is replaced by words', (value, words) => {
    expect(decodeError(encodeError(value))).toBe(words);
  });
});

describe('parts of an error that cannot be recorded', () => {
  class Socket {}

  test('are replaced by words, the rest is kept', () => {
    const error = Object.assign(new Error('m'), { code: 'E', socket: new Socket(), list: [1, () => 1], self: {} });
    error.self = error;

    expect(roundTrip(error)).toMatchObject({
      code: 'E',
      socket: '[not recorded: an instance of Socket]',
      list: [1, '[not recorded: a function]'],
      self: '[not recorded: a reference to an object around it (a cycle)]',
    });
  });

  test('are replaced by words in an error inside a value, while the value itself stays strict', () => {
    const error = Object.assign(new Error('m'), { socket: new Socket() });

    expect(decode(encode({ error }, 'the result'), 'the result')).toMatchObject({
      error: { socket: '[not recorded: an instance of Socket]' },
    });
    expect(() => encode([error, { socket: new Socket() }], 'the result')).toThrow('at $[1].socket');
  });

  test('leave the value around strict also when the error cannot be read at all', () => {
    const trap = new Proxy({}, { has: (_target, key) => key === 'cause' && fail() });
    const hostile = Object.setPrototypeOf(new Error('m'), trap) as Error;

    expect(() => encode([hostile, new Socket()], 'the result')).toThrow('a value that threw when it was read at $[0]');
  });

  test('may be a cause that leads back', () => {
    const error = new Error('m');
    error.cause = new Error('inner', { cause: error });

    expect(roundTrip(error).cause).toMatchObject({
      message: 'inner',
      cause: '[not recorded: a reference to an object around it (a cycle)]',
    });
  });

  test('may be anything that throws when it is read', () => {
    const error = new Error('m');
    const names = ['stack', 'message', 'name', 'cause', 'code', 'extra'];
    for (const name of names) Object.defineProperty(error, name, { enumerable: true, get: fail });

    expect(roundTrip(error)).toMatchObject({
      name: 'Error',
      message: '',
      extra: '[not recorded: it threw when it was read]',
    });
  });

  test('may be the error itself', () => {
    const bare = Object.create(null) as object;
    const hostile = [
      new Proxy(new Error('m'), { getPrototypeOf: fail }),
      new Proxy({}, { getPrototypeOf: fail }),
      Object.setPrototypeOf(new Error('m'), null),
      Object.setPrototypeOf(new Error('m'), bare),
    ];

    for (const each of hostile) expect(() => decodeError(encodeError(each))).not.toThrow();
  });

  test('may be nested too deeply', () => {
    const wrap = (cause: unknown) => Object.assign(new Error('m', { cause }), { stack: '' });
    const deep = Array.from({ length: 10_000 }).reduce(wrap, undefined);

    expect(encodeError(deep)).toContain('"cause":"[not recorded: more than 200 levels of nesting]"');
    expect(roundTrip(deep).message).toBe('m');
  });
});

describe('an error of many megabytes', () => {
  const longest = 262_144;

  test('keeps what is small and is at most 256 Ki characters long', () => {
    const error = Object.assign(new Error('x'.repeat(1_000_000)), {
      code: 'E',
      response: { data: 'x'.repeat(5_000_000) },
    });
    const text = encodeError(error);

    expect(text.length).toBeLessThan(longest);
    expect(decodeError(text)).toMatchObject({ code: 'E', response: '[not recorded: 5000011 characters]' });
    expect(roundTrip(error).message).toMatch(/x \[not recorded: 983616 more characters\]$/);
  });

  test('is shortened in its causes and errors too', () => {
    const large = () => Object.assign(new Error('m'), { body: 'x'.repeat(100_000) });
    const error = new AggregateError(Array.from({ length: 50 }, large), 'all', { cause: large() });

    expect(encodeError(error).length).toBeLessThan(longest);
    expect(roundTrip(error)).toMatchObject({ cause: { message: 'm', body: '[not recorded: 100002 characters]' } });
    expect(roundTrip(error)['errors']).toHaveLength(20);
  });

  test('that stays too large, or is no error, is replaced by words', () => {
    const large = () => new Error('x'.repeat(100_000));

    expect(decodeError(encodeError(new AggregateError(Array.from({ length: 50 }, large))))).toMatch(
      /^\[not recorded: an error of \d+ characters\]$/,
    );
    expect(decodeError(encodeError('x'.repeat(300_000)))).toBe('[not recorded: an error of 300002 characters]');
  });
});

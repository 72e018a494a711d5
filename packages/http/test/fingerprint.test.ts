import { expect, test } from '@jest/globals';
import { fingerprint } from '../src/index.js';

const of = (body: unknown, path = '/orders', method = 'POST'): string => fingerprint({ method, path, body });
const json = (text: string): string => of(JSON.parse(text));

test('neither white space nor the order of keys counts', () => {
  expect(json('{"a":1,"b":{"c":[1,{"d":2,"e":3}],"10":0,"9":0}}')).toBe(
    json('{ "b": {"9":0, "10":0, "c":[1,{"e":3,"d":2}]}, "a":1 }'),
  );
  expect(of(1, '/orders', 'post')).toBe(of(1));
});

test.each([
  ['{"a":1}', '{"a":2}'],
  ['{"a":1}', '{"a":"1"}'],
  ['[1,2]', '[2,1]'],
  ['{}', '[]'],
  ['null', '{}'],
  ['{"a":null}', '{}'],
  ['{"entries":[["a",1]]}', '{"a":1}'],
  ['{"__proto__":1}', '{}'],
  ['{"__proto__":{"a":1}}', '{"__proto__":{"a":2}}'],
])('%s is not %s', (one, other) => {
  expect(json(one)).not.toBe(json(other));
});

test('method, path and kind of body count', () => {
  const bytes = new TextEncoder().encode('1');

  expect(new Set([of(1), of(1, '/other'), of(1, '/orders', 'PUT'), of(bytes), of(undefined)]).size).toBe(5);
  expect(of(bytes)).toBe(of(Buffer.from('1')));
});

test('values that JSON has no word for count, in a body that a program has made', () => {
  const bodies = [new Map([['a', 1]]), new Map([['a', 2]]), 1n, 2n, new Date(0), new Date(1)];

  expect(new Set(bodies.map((body) => of({ body }))).size).toBe(bodies.length);
});

test('a body that is nested without end is refused', () => {
  const text = '['.repeat(50_000) + ']'.repeat(50_000);

  expect(() => json(text)).toThrow('UNSERIALIZABLE');
});

// The format of recorded values, shared by the writer and the reader.
//
// Plain JSON stands for itself. Everything else is an object whose key "~" says what it is:
//   {"~":"undefined"}                              {"~":"number","v":"NaN" | "Infinity" | "-Infinity" | "-0"}
//   {"~":"bigint","v":"12"}                        {"~":"date","v":"2026-01-31T12:00:00.000Z" | null}
//   {"~":"map","v":[[key, value], ...]}            {"~":"set","v":[value, ...]}
//   {"~":"regexp","v":"a+","flags":"g"}            {"~":"url","v":"https://perdure.dev/"}
//   {"~":"bytes","type":"Buffer","v":"<base64>"}   {"~":"object","v":{...}}   an object that itself has a key "~"
//   {"~":"error","name":..,"message":..,"stack":..,"type"?:..,"cause"?:..,"errors"?:[..],"properties"?:{..}}

import { PerdureError } from './errors.js';

/** The key that marks an object as standing for something else. */
export const tagKey = '~';

/** The deepest nesting that is recorded: far beyond real data, and a third of what the stack has room for. */
export const maxDepth = 200;

/** The tags of the format above. */
export type Tag =
  'undefined' | 'number' | 'bigint' | 'date' | 'map' | 'set' | 'regexp' | 'url' | 'bytes' | 'error' | 'object';

/** A value in its recorded form, before it becomes text. */
export interface TaggedRecord {
  readonly [tagKey]: Tag;
  readonly [field: string]: unknown;
}

/** The error of a value that is nested too deeply, on the way in and on the way out. */
export function tooDeep(what: string, path: string): PerdureError {
  return new PerdureError('UNSERIALIZABLE', { what, path, type: `more than ${maxDepth} levels of nesting` });
}

type BytesOf = (buffer: ArrayBuffer) => unknown;

/** How each type of bytes is made. A fixed table: a name in the data never reaches a constructor outside of it. */
export const bytesTypes: ReadonlyMap<string, BytesOf> = new Map<string, BytesOf>([
  ['Buffer', (buffer) => Buffer.from(buffer)],
  ['ArrayBuffer', (buffer) => buffer],
  ['DataView', (buffer) => new DataView(buffer)],
  ['Uint8Array', (buffer) => new Uint8Array(buffer)],
  ['Uint8ClampedArray', (buffer) => new Uint8ClampedArray(buffer)],
  ['Int8Array', (buffer) => new Int8Array(buffer)],
  ['Uint16Array', (buffer) => new Uint16Array(buffer)],
  ['Int16Array', (buffer) => new Int16Array(buffer)],
  ['Uint32Array', (buffer) => new Uint32Array(buffer)],
  ['Int32Array', (buffer) => new Int32Array(buffer)],
  ['Float32Array', (buffer) => new Float32Array(buffer)],
  ['Float64Array', (buffer) => new Float64Array(buffer)],
  ['BigUint64Array', (buffer) => new BigUint64Array(buffer)],
  ['BigInt64Array', (buffer) => new BigInt64Array(buffer)],
]);

type ErrorOf = (message: string, name: string) => Error;

/** How each built-in error is made. An error of any other class becomes an `Error` that keeps its name. */
export const errorTypes: ReadonlyMap<string, ErrorOf> = new Map<string, ErrorOf>([
  ['Error', (message) => new Error(message)],
  ['TypeError', (message) => new TypeError(message)],
  ['RangeError', (message) => new RangeError(message)],
  ['SyntaxError', (message) => new SyntaxError(message)],
  ['ReferenceError', (message) => new ReferenceError(message)],
  ['EvalError', (message) => new EvalError(message)],
  ['URIError', (message) => new URIError(message)],
  ['AggregateError', (message) => new AggregateError([], message)],
  ['DOMException', (message, name) => new DOMException(message, name)],
]);

// Turns any value into JSON with tags, or says exactly which part of it cannot be recorded and where.
// serialize.ts calls it for values that are not plain JSON; the format is in tagged-format.ts.

import { types } from 'node:util';
import { errorRecord, isError, omitted } from './error-record.js';
import { isPerdureError, PerdureError } from './errors.js';
import { bytesTypes, maxDepth, tagKey, type TaggedRecord, tooDeep } from './tagged-format.js';
import { kindInWords, mapSegment, type PathSegment, pathInWords } from './value-in-words.js';

/** One pass over a value. It changes as the pass goes down and up again. */
interface Walk {
  readonly what: string;
  /** The objects around the current one: an object among them is a cycle, their number is the depth. */
  readonly ancestors: object[];
  readonly path: PathSegment[];
  /** Whether a part that cannot be recorded is replaced by words instead of failing the whole. */
  isLenient: boolean;
}

/** JSON with tags. Throws `UNSERIALIZABLE` with the path of the part that cannot be recorded. */
export function toTagged(value: unknown, what: string): unknown {
  const walk: Walk = { what, ancestors: [], path: [], isLenient: false };
  try {
    return tagged(value, walk);
  } catch (error) {
    if (isPerdureError(error, 'UNSERIALIZABLE')) throw error;
    // A getter, a proxy or a toJSON threw. The path still stands where that happened.
    throw unserializable(walk, 'a value that threw when it was read', error);
  }
}

/** JSON with tags for something that was thrown: what cannot be recorded is replaced by words. Never throws. */
export function toTaggedError(error: unknown): unknown {
  const walk: Walk = { what: 'an error', ancestors: [], path: [], isLenient: true };
  return part(walk, { text: '' }, () => (isOtherInstance(error) ? { ...error } : error));
}

/** Whether an object is plain data: a literal, or one without a prototype; of any realm. */
export function isPlainObject(value: object): value is Readonly<Record<string, unknown>> {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  // A test runner's realm has an Object.prototype of its own: the end of the chain, with the methods of Object.
  if (typeof prototype !== 'object') return false;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'hasOwnProperty');
}

/** Whether JSON writes the number as it is. */
export function isPlainNumber(value: number): boolean {
  return Number.isFinite(value) && !Object.is(value, -0);
}

/** One part of a value: `read` is called where its path is known. */
function part(walk: Walk, segment: PathSegment, read: () => unknown): unknown {
  const depth = walk.ancestors.length;
  const { length } = walk.path;
  walk.path.push(segment);
  try {
    const result = tagged(read(), walk);
    walk.path.length = length;
    return result;
  } catch (error) {
    if (!walk.isLenient) throw error;
    walk.path.length = length;
    walk.ancestors.length = depth;
    return omitted(
      isPerdureError(error, 'UNSERIALIZABLE') ? String(error.details['type']) : 'it threw when it was read',
    );
  }
}

function tagged(value: unknown, walk: Walk): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return isPlainNumber(value) ? value : record('number', { v: Object.is(value, -0) ? '-0' : String(value) });
    case 'undefined':
      return record('undefined', {});
    case 'bigint':
      return record('bigint', { v: value.toString() });
    case 'object':
      return value === null ? null : taggedObject(value, walk);
    default:
      throw unserializable(walk, kindInWords(value));
  }
}

function taggedObject(value: object, walk: Walk): unknown {
  if (walk.ancestors.includes(value)) throw unserializable(walk, 'a reference to an object around it (a cycle)');
  if (walk.ancestors.length >= maxDepth) throw tooDeep(walk.what, shortPath(walk));
  walk.ancestors.push(value);
  const result = formOf(value, walk);
  walk.ancestors.pop();
  return result;
}

function formOf(value: object, walk: Walk): unknown {
  if (Array.isArray(value)) return elements(value, walk);
  // First what is common: the checks of the built-in classes take ten times as long.
  if (!hasToJson(value) && isPlainObject(value)) return entries(value, walk);
  if (isError(value)) return taggedError(value, walk);
  const builtIn = builtInForm(value, walk);
  if (builtIn !== undefined) return builtIn;
  if (hasToJson(value)) return jsonForm(value, value.toJSON(), walk);
  throw unserializable(walk, kindInWords(value));
}

function builtInForm(value: object, walk: Walk): TaggedRecord | undefined {
  if (types.isDate(value)) return record('date', { v: Number.isNaN(value.getTime()) ? null : value.toISOString() });
  if (types.isMap(value)) return record('map', { v: mapEntries(value, walk) });
  if (types.isSet(value)) return record('set', { v: elements([...value], walk) });
  if (types.isRegExp(value)) return record('regexp', { v: value.source, flags: value.flags });
  if (value instanceof URL) return record('url', { v: value.href });
  return bytesForm(value);
}

// Numbers stand in the order of this machine's bytes, which is little-endian wherever Node is common.
function bytesForm(value: object): TaggedRecord | undefined {
  if (types.isArrayBuffer(value)) return record('bytes', { type: 'ArrayBuffer', v: base64(value) });
  if (!ArrayBuffer.isView(value)) return undefined;
  const type = Buffer.isBuffer(value) ? 'Buffer' : Object.prototype.toString.call(value).slice('[object '.length, -1);
  if (!bytesTypes.has(type)) return undefined;
  return record('bytes', { type, v: base64(value.buffer, value.byteOffset, value.byteLength) });
}

function base64(buffer: ArrayBufferLike, offset = 0, length = buffer.byteLength): string {
  return Buffer.from(buffer, offset, length).toString('base64');
}

// Every error is read leniently, also inside a value: see error-record.ts.
function taggedError(error: Error, walk: Walk): TaggedRecord {
  const wasLenient = walk.isLenient;
  walk.isLenient = true;
  try {
    return errorRecord(error, (name, read) => part(walk, name, read));
  } finally {
    walk.isLenient = wasLenient;
  }
}

function hasToJson(value: object): value is { toJSON(): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}

// JSON does not ask the result of toJSON for its toJSON again, so an object may return itself or another of its class.
function jsonForm(value: object, json: unknown, walk: Walk): unknown {
  if (typeof json !== 'object' || json === null) return tagged(json, walk);
  return json === value ? entries({ ...json }, walk) : taggedObject(json, walk);
}

/** Elements by index: a hole is `undefined`, and of a subclass or a match of a regular expression the elements are kept. */
function elements(list: readonly unknown[], walk: Walk): unknown[] {
  const result: unknown[] = [];
  for (let index = 0; index < list.length; index += 1) result.push(part(walk, index, () => list[index]));
  return result;
}

function mapEntries(map: ReadonlyMap<unknown, unknown>, walk: Walk): unknown[] {
  return Array.from(map, ([key, value], index) => [
    part(walk, { text: `.keys()[${index}]` }, () => key),
    part(walk, mapSegment(key, index), () => value),
  ]);
}

function entries(value: Readonly<Record<string, unknown>>, walk: Walk): unknown {
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const recorded = part(walk, key, () => value[key]);
    if (key === '__proto__') Object.defineProperty(result, key, { value: recorded, enumerable: true });
    else result[key] = recorded;
  }
  return Object.hasOwn(result, tagKey) ? record('object', { v: result }) : result;
}

function record(tag: TaggedRecord[typeof tagKey], fields: Readonly<Record<string, unknown>>): TaggedRecord {
  return { [tagKey]: tag, ...fields };
}

// Somebody threw an instance of a class that is no error: its fields are worth more than its name.
function isOtherInstance(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isError(value)) return false;
  return !isPlainObject(value) && !('toJSON' in value) && !ArrayBuffer.isView(value) && Object.keys(value).length > 0;
}

function unserializable(walk: Walk, type: string, cause?: unknown): PerdureError {
  const details = { what: walk.what, path: shortPath(walk), type };
  return new PerdureError('UNSERIALIZABLE', details, cause === undefined ? {} : { cause });
}

function shortPath({ path }: Walk): string {
  return path.length <= 20 ? pathInWords(path) : `${pathInWords(path.slice(0, 20))}...`;
}

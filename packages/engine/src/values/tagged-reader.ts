// Turns JSON with tags back into values. It builds only what the tables of tagged-format.ts name, whatever the data says.
// serialize.ts calls it and owns the error for text that makes no sense.

import { revivePerdureError } from './errors.js';
import { bytesTypes, errorTypes, maxDepth, tagKey, tooDeep } from './tagged-format.js';

type Fields = Record<string, unknown>;

/** One pass over parsed JSON. The depth changes as the pass goes down and up again. */
interface Reading {
  readonly what: string;
  depth: number;
}

/**
 * The value that parsed JSON stands for. Changes `parsed` in place. Throws `UNSERIALIZABLE` if it is nested too deeply,
 * and any other error if a tag or what belongs to it makes no sense.
 */
export function fromTagged(parsed: unknown, what: string): unknown {
  return revive(parsed, { what, depth: 0 });
}

function revive(value: unknown, reading: Reading): unknown {
  if (typeof value !== 'object' || value === null) return value;
  // One level more than was written: a date or a bigint inside the deepest object is an object here.
  if (reading.depth > maxDepth) throw tooDeep(reading.what, '$');
  reading.depth += 1;
  const result = Array.isArray(value) ? reviveElements(value, reading) : reviveObject(value, reading);
  reading.depth -= 1;
  return result;
}

function reviveElements(elements: unknown[], reading: Reading): unknown[] {
  for (let index = 0; index < elements.length; index += 1) elements[index] = revive(elements[index], reading);
  return elements;
}

function reviveObject(value: object, reading: Reading): unknown {
  if (!isFields(value)) return value;
  return Object.hasOwn(value, tagKey) ? reviveTagged(value, reading) : reviveEntries(value, reading);
}

function reviveEntries(fields: Fields, reading: Reading): Fields {
  for (const key of Object.keys(fields)) {
    const value = fields[key];
    if (typeof value !== 'object' || value === null) continue;
    const revived = revive(value, reading);
    if (revived !== value) put(fields, key, revived);
  }
  return fields;
}

function reviveTagged(fields: Fields, reading: Reading): unknown {
  const tag = fields[tagKey];
  const reviver = typeof tag === 'string' ? revivers.get(tag) : undefined;
  if (reviver === undefined) throw new TypeError(`${JSON.stringify(tag)} is no tag that this release knows`);
  return reviver(fields, reading);
}

type Reviver = (fields: Fields, reading: Reading) => unknown;

const revivers: ReadonlyMap<string, Reviver> = new Map<string, Reviver>([
  ['undefined', () => undefined],
  ['number', reviveNumber],
  ['bigint', (fields) => BigInt(text(fields, 'v'))],
  ['date', reviveDate],
  ['map', (fields, reading) => new Map(list(fields, 'v').map((entry) => revivePair(entry, reading)))],
  ['set', (fields, reading) => new Set(reviveElements(list(fields, 'v'), reading))],
  ['regexp', (fields) => new RegExp(text(fields, 'v'), text(fields, 'flags'))],
  ['url', (fields) => new URL(text(fields, 'v'))],
  ['bytes', reviveBytes],
  ['error', reviveError],
  ['object', (fields, reading) => reviveEntries(object(fields, 'v'), reading)],
]);

const specialNumbers: ReadonlyMap<unknown, number> = new Map([
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
  ['-0', -0],
]);

function reviveNumber(fields: Fields): number {
  const value = specialNumbers.get(fields['v']);
  if (value === undefined) throw new TypeError(`${JSON.stringify(fields['v'])} is no special number`);
  return value;
}

function revivePair(entry: unknown, reading: Reading): [unknown, unknown] {
  if (!Array.isArray(entry) || entry.length !== 2) throw new TypeError('an entry of a map is no pair');
  return [revive(entry[0], reading), revive(entry[1], reading)];
}

function reviveDate(fields: Fields): Date {
  if (fields['v'] === null) return new Date(NaN);
  const date = new Date(text(fields, 'v'));
  if (Number.isNaN(date.getTime())) throw new TypeError(`${JSON.stringify(fields['v'])} is no date`);
  return date;
}

function reviveBytes(fields: Fields): unknown {
  const type = text(fields, 'type');
  const bytesOf = bytesTypes.get(type);
  if (bytesOf === undefined) throw new TypeError(`"${type}" is no type of bytes`);
  const bytes = Buffer.from(text(fields, 'v'), 'base64');
  // A copy of its own: small buffers share one block of memory, where a typed array would not be aligned.
  return bytesOf(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

// Another language may have written the error: only the message is needed.
function reviveError(fields: Fields, reading: Reading): Error {
  const name = 'name' in fields ? text(fields, 'name') : 'Error';
  const message = text(fields, 'message');
  const stack = 'stack' in fields ? text(fields, 'stack') : `${name}: ${message}`;
  const type = 'type' in fields ? text(fields, 'type') : name;
  const properties = 'properties' in fields ? reviveEntries(object(fields, 'properties'), reading) : {};
  const error =
    type === 'PerdureError'
      ? revivePerdureError({ ...properties, message, stack })
      : builtInError({ type, name, message, stack, properties });
  if ('cause' in fields) hide(error, 'cause', revive(fields['cause'], reading));
  if ('errors' in fields) hide(error, 'errors', revive(fields['errors'], reading));
  return error;
}

interface ErrorParts {
  readonly type: string;
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly properties: Fields;
}

function builtInError({ type, name, message, stack, properties }: ErrorParts): Error {
  const error = errorTypes.get(type)?.(message, name) ?? new Error(message);
  if (error.name !== name) hide(error, 'name', name);
  error.stack = stack;
  for (const [key, value] of Object.entries(properties)) put(error, key, value);
  return error;
}

function text(fields: Fields, key: string): string {
  const value = fields[key];
  if (typeof value !== 'string') throw new TypeError(`"${key}" of a ${String(fields[tagKey])} is no text`);
  return value;
}

function list(fields: Fields, key: string): unknown[] {
  const value = fields[key];
  if (!Array.isArray(value)) throw new TypeError(`"${key}" of a ${String(fields[tagKey])} is no array`);
  return value;
}

function object(fields: Fields, key: string): Fields {
  const value = fields[key];
  if (!isFields(value)) throw new TypeError(`"${key}" of an ${String(fields[tagKey])} is no object`);
  return value;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// An assignment to the key __proto__ would change the prototype instead of adding a property.
function put(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, configurable: true, enumerable: true });
}

function hide(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, configurable: true, enumerable: false });
}

// Turns JSON with tags back into values. It builds only what the tables of tagged-format.ts name, whatever the data says.
// serialize.ts calls it and owns the error for text that makes no sense.

import { revivePerdureError } from './errors.js';
import { bytesTypes, errorTypes, maxDepth, tagKey, tooDeep } from './tagged-format.js';

type Fields = Record<string, unknown>;
type Revive = (value: unknown) => unknown;
type Reviver = (fields: Fields, revive: Revive) => unknown;

/**
 * The value that parsed JSON stands for. Changes `parsed` in place. Throws `UNSERIALIZABLE` if it is nested too deeply,
 * and any other error if a tag or what belongs to it makes no sense.
 */
export function fromTagged(parsed: unknown, what: string, depth = 0): unknown {
  if (typeof parsed !== 'object' || parsed === null) return parsed;
  if (depth >= maxDepth) throw tooDeep(what, '$');
  const revive: Revive = (value) => fromTagged(value, what, depth + 1);
  if (Array.isArray(parsed)) return reviveElements(parsed, revive);
  if (!isFields(parsed)) return parsed;
  return Object.hasOwn(parsed, tagKey) ? reviveTagged(parsed, revive) : reviveEntries(parsed, revive);
}

function reviveTagged(fields: Fields, revive: Revive): unknown {
  const tag = fields[tagKey];
  const reviver = typeof tag === 'string' ? revivers.get(tag) : undefined;
  if (reviver === undefined) throw new TypeError(`${JSON.stringify(tag)} is no tag that this release knows`);
  return reviver(fields, revive);
}

const revivers: ReadonlyMap<string, Reviver> = new Map<string, Reviver>([
  ['undefined', () => undefined],
  ['number', (fields) => (fields['v'] === '-0' ? -0 : Number(text(fields, 'v')))],
  ['bigint', (fields) => BigInt(text(fields, 'v'))],
  ['date', reviveDate],
  ['map', (fields, revive) => new Map(list(fields, 'v').map((entry) => revivePair(entry, revive)))],
  ['set', (fields, revive) => new Set(list(fields, 'v').map(revive))],
  ['regexp', (fields) => new RegExp(text(fields, 'v'), text(fields, 'flags'))],
  ['url', (fields) => new URL(text(fields, 'v'))],
  ['bytes', reviveBytes],
  ['error', reviveError],
  ['object', (fields, revive) => reviveEntries(object(fields, 'v'), revive)],
]);

function reviveElements(elements: unknown[], revive: Revive): unknown[] {
  for (let index = 0; index < elements.length; index += 1) {
    const element = elements[index];
    if (typeof element === 'object') elements[index] = revive(element);
  }
  return elements;
}

function reviveEntries(fields: Fields, revive: Revive): Fields {
  for (const key of Object.keys(fields)) {
    const value = fields[key];
    if (typeof value === 'object' && value !== null) put(fields, key, revive(value));
  }
  return fields;
}

function revivePair(entry: unknown, revive: Revive): [unknown, unknown] {
  if (!Array.isArray(entry) || entry.length !== 2) throw new TypeError('an entry of a map is no pair');
  return [revive(entry[0]), revive(entry[1])];
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

function reviveError(fields: Fields, revive: Revive): Error {
  // Another language may have written the error: only the message is needed.
  const message = text(fields, 'message');
  const name = 'name' in fields ? text(fields, 'name') : 'Error';
  const stack = 'stack' in fields ? text(fields, 'stack') : `${name}: ${message}`;
  const type = 'type' in fields ? text(fields, 'type') : name;
  const properties = 'properties' in fields ? reviveEntries(object(fields, 'properties'), revive) : {};
  const error =
    type === 'PerdureError'
      ? revivePerdureError({ ...properties, message, stack })
      : builtInError({ type, name, message, stack, properties });
  if (Object.hasOwn(fields, 'cause')) hide(error, 'cause', revive(fields['cause']));
  if (Object.hasOwn(fields, 'errors')) hide(error, 'errors', revive(fields['errors']));
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
  hide(error, 'stack', stack);
  for (const [key, value] of Object.entries(properties)) put(error, key, value);
  return error;
}

function text(fields: Fields, key: string): string {
  const value = fields[key];
  if (typeof value !== 'string') throw new TypeError(`"${key}" of a ${String(fields[tagKey])} is no text`);
  return value;
}

function list(fields: Fields, key: string): readonly unknown[] {
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

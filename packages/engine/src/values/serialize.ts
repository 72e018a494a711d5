// Values to text and back: what workflows take, return, send and throw, as it stands in the database.
// Plain JSON stays plain JSON, so that rows are readable in psql and writable from other languages. tagged-format.ts has the
// format of the rest.

import { isErrorRecord, omitted, shortenedRecord } from './error-record.js';
import { isPerdureError, PerdureError } from './errors.js';
import { maxDepth, tagKey } from './tagged-format.js';
import { fromTagged } from './tagged-reader.js';
import { isPlainNumber, isPlainObject, toTagged, toTaggedError } from './tagged-writer.js';

/**
 * The text that `decode` turns back into an equal value. `what` names the value in errors: `the input of workflow "checkout"`.
 *
 * Round trips: plain JSON, Date, Map, Set, BigInt, NaN, infinities, -0, undefined, RegExp, URL, Buffer, ArrayBuffer, DataView,
 * typed arrays, errors with their cause chain. An instance of a class is recorded if it has `toJSON`, in that form. Not kept:
 * that two places hold the same object, symbol keys, holes in arrays (they become undefined) and other properties of arrays.
 * Throws `UNSERIALIZABLE` with the path of anything else, of a cycle, and of more than 200 levels of nesting.
 *
 * @example
 * encode({ at: new Date(0) }, 'an example'); // '{"at":{"~":"date","v":"1970-01-01T00:00:00.000Z"}}'
 */
export function encode(value: unknown, what: string): string {
  // A getter may answer differently the second time; then the writer says where.
  const plain = isPlainJson(value) ? tryText(() => value) : undefined;
  return plain ?? toText(toTagged(value, what), what);
}

/**
 * The value that `encode` turned into `text`, or the value of any JSON that has no key `~`.
 * Throws `PAYLOAD_CORRUPT`, or `UNSERIALIZABLE` beyond 200 levels of nesting.
 */
export function decode(text: string, what: string): unknown {
  try {
    const parsed: unknown = JSON.parse(text);
    return mayNeedReading(text) ? fromTagged(parsed, what) : parsed;
  } catch (error) {
    if (isPerdureError(error, 'UNSERIALIZABLE')) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new PerdureError('PAYLOAD_CORRUPT', { what, reason }, { cause: error });
  }
}

const longestErrorText = 262_144;

/**
 * The text of anything that was thrown, at most 256 Ki characters long. Never throws: parts of an error that cannot be
 * recorded, or are too large, are replaced by `[not recorded: ...]`.
 */
export function encodeError(error: unknown): string {
  const tagged = toTaggedError(error);
  const text = tryText(() => tagged);
  if (text !== undefined && text.length <= longestErrorText) return text;
  const short = isErrorRecord(tagged) ? tryText(() => shortenedRecord(tagged)) : undefined;
  if (short !== undefined && short.length <= longestErrorText) return short;
  return JSON.stringify(omitted(`an error of ${text?.length ?? 'too many'} characters`));
}

/** What `encodeError` was given: usually an error, but a program may throw anything. Throws as `decode` does. */
export function decodeError(text: string): unknown {
  return decode(text, 'a recorded error');
}

// Text shorter than this cannot be nested too deeply, since every level has two brackets.
function mayNeedReading(text: string): boolean {
  return text.length > 2 * maxDepth || text.includes(`"${tagKey}"`);
}

/** Whether JSON.stringify keeps all of the value. If reading it throws, the answer is no: the writer finds out where. */
function isPlainJson(value: unknown): boolean {
  try {
    return isPlain(value, 0);
  } catch {
    return false;
  }
}

function isPlain(value: unknown, depth: number): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true;
  if (typeof value === 'number') return isPlainNumber(value);
  if (typeof value !== 'object' || depth >= maxDepth) return false;
  return Array.isArray(value) ? areElementsPlain(value, depth) : arePropertiesPlain(value, depth);
}

function areElementsPlain(elements: readonly unknown[], depth: number): boolean {
  if ('toJSON' in elements) return false;
  for (let index = 0; index < elements.length; index += 1) if (!isPlain(elements[index], depth + 1)) return false;
  return true;
}

function arePropertiesPlain(value: object, depth: number): boolean {
  if (!isPlainObject(value) || 'toJSON' in value) return false;
  for (const key of Object.keys(value)) if (key === tagKey || !isPlain(value[key], depth + 1)) return false;
  return true;
}

function toText(tagged: unknown, what: string): string {
  const text = tryText(() => tagged);
  if (text === undefined)
    throw new PerdureError('UNSERIALIZABLE', { what, path: '$', type: 'more text than fits a string' });
  return text;
}

// Text may be longer than a string can be.
function tryText(read: () => unknown): string | undefined {
  try {
    return JSON.stringify(read());
  } catch {
    return undefined;
  }
}

// The attributes of a run in stored form: what its start was given, and what goes along from the caller's context.

import { withCarried } from '../run/carried-context.js';
import type { RunHost } from '../run/run-host.js';
import { isPerdureError, PerdureError } from '../values/errors.js';
import { kindInWords, pathInWords, type PathSegment } from '../values/value-in-words.js';

/** What a start is given and takes along, as JSON text. Throws OPTION_INVALID. */
export function attributesOf(
  { carrier }: Pick<RunHost, 'carrier'>,
  attributes: Readonly<Record<string, unknown>> | undefined,
): string | undefined {
  const all = withCarried(carrier, attributes);
  return all === undefined ? undefined : encodeAttributes(all);
}

// jsonb takes neither null characters nor halves of surrogate pairs, which JSON.stringify escapes.
const refusedByJsonb = /\\u(0000|d[89a-f][0-9a-f]{2})/;

/** Attributes as JSON text. Throws OPTION_INVALID. */
export function encodeAttributes(attributes: Readonly<Record<string, unknown>>): string {
  const text = jsonText(attributes);
  if (text?.startsWith('{') === true && !refusedByJsonb.test(text)) return text;
  throw invalid(attributes, 'give a plain JSON object without null characters or broken Unicode');
}

function jsonText(attributes: unknown): string | undefined {
  const places = new Map<unknown, readonly PathSegment[]>();
  const check = function (this: unknown, key: string, value: unknown): unknown {
    const place = places.get(this);
    const path = place === undefined ? [] : [...place, Array.isArray(this) ? Number(key) : key];
    const lost = lostIn(value);
    if (lost !== undefined) throw invalid(lost, `${pathInWords(path)} would be lost in JSON; give plain values`);
    if (typeof value === 'object' && value !== null) places.set(value, path);
    return value;
  };
  try {
    return JSON.stringify(attributes, check);
  } catch (error) {
    if (isPerdureError(error)) throw error;
    return undefined; // a cycle
  }
}

// What JSON leaves out, or turns into null or an empty object, without a word: nobody would find the run by it.
function lostIn(value: unknown): string | undefined {
  if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint') return kindInWords(value);
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return value instanceof Map || value instanceof Set ? kindInWords(value) : undefined;
}

function invalid(value: unknown, reason: string): PerdureError<'OPTION_INVALID'> {
  return new PerdureError('OPTION_INVALID', { option: 'attributes', value, reason });
}

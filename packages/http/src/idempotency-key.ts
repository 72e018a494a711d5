// The Idempotency-Key header, as in draft-ietf-httpapi-idempotency-key-header-07: a structured string in quotes. Bare keys, which many
// clients send, are taken as well.

import { hash } from 'node:crypto';
import { PerdureError } from 'perdure';

const header = 'Idempotency-Key';

/** Where headers are found by their names, whatever the case: those of a Request, or a request of Express itself. */
export interface HeaderSource {
  get(name: string): string | null | undefined;
}

/** The key of a request, without its quotes; undefined when it has none. Throws HEADER_INVALID. */
export function readIdempotencyKey({ headers }: { readonly headers: HeaderSource }): string | undefined {
  const value = headers.get(header)?.trim();
  if (value === undefined) return undefined;
  const invalid = (reason: string): PerdureError => new PerdureError('HEADER_INVALID', { header, value, reason });
  if (value === '' || value === '""') throw invalid('it is empty');
  if (value.length > 255) throw invalid(`it has ${value.length} characters, more than 255`);
  if (!/^[\x20-\x7e]*$/.test(value)) throw invalid('it must be printable ASCII');
  if (!value.startsWith('"')) {
    if (/[,"]/.test(value)) throw invalid('send one key, in quotes');
    return value;
  }
  if (!/^"(?:[^"\\]|\\["\\])*"$/.test(value)) throw invalid('send one key, in quotes');
  return value.slice(1, -1).replace(/\\(.)/g, '$1');
}

/**
 * The key by which the engine tells requests apart: the same key on another route, or of another principal, is another one.
 * Throws OPTION_INVALID, CONFIG_INVALID.
 */
export function scopedKey(key: string, route: string, principal: string | undefined): string {
  const parts = [route, telling(principal ?? null, 'principal'), telling(key, 'key')];
  return hash('sha256', JSON.stringify(parts), 'base64url');
}

// Programs without types may give what is the same for everybody, as every Promise is in JSON: one would get the answer of another.
function telling(given: unknown, option: 'key' | 'principal'): unknown {
  const isText = typeof given === 'string' && (given !== '' || option === 'principal');
  if (isText || typeof given === 'number' || (given === null && option === 'principal')) return given;
  if (typeof Reflect.get(Object(given), 'then') === 'function') {
    const fault = `the function ${option} gives a Promise, but the key of a request is needed at once`;
    throw new PerdureError('CONFIG_INVALID', { faults: [fault] });
  }
  throw new PerdureError('OPTION_INVALID', { option, value: given, reason: 'it is no text that tells requests apart' });
}

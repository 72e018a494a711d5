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

/** The key by which the engine tells requests apart: the same key on another route, or of another principal, is another one. */
export function scopedKey(key: string, route: string, principal: string | undefined): string {
  return hash('sha256', JSON.stringify([route, principal ?? null, key]), 'base64url');
}

// What makes two requests the same one, for idempotency keys.

import { hash } from 'node:crypto';
import { PerdureError } from 'perdure';
import { plain } from './plain-json.js';

/** The parts of a request that its fingerprint covers. */
export interface FingerprintParts {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** Bytes as they came, or a parsed JSON value: then neither white space nor the order of keys counts. */
  readonly body: unknown;
}

/**
 * A digest that two requests share if and only if their method, path and body are the same. Throws UNSERIALIZABLE for a body that is
 * nested without end.
 *
 * @example
 * fingerprint({ method: 'POST', path: '/orders', body: { sku: 'A-1' } });
 */
export function fingerprint({ method, path, body }: FingerprintParts): string {
  const head = JSON.stringify([method.toUpperCase(), path]);
  const text =
    body instanceof Uint8Array
      ? Buffer.concat([Buffer.from(`${head}\nbytes\n`), body])
      : `${head}\njson\n${canonical(body)}`;
  return hash('sha256', text, 'base64url');
}

// Keys in a fixed order at every depth. As lists, because an object would move keys that look like numbers to its front.
function canonical(value: unknown): string {
  try {
    return textOf(plain(value));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new PerdureError('UNSERIALIZABLE', {
      what: 'the body of the request',
      path: '$',
      type: 'too many levels of nesting',
    });
  }
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => (isRecord(inner) ? { entries: sorted(inner) } : inner)) ?? '';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sorted(value: Record<string, unknown>): readonly (readonly [string, unknown])[] {
  return Object.keys(value)
    .sort()
    .map((key) => [key, value[key]]);
}

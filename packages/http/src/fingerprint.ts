// What makes two requests the same one, for idempotency keys.

import { createHash } from 'node:crypto';

/** The parts of a request that its fingerprint covers. */
export interface FingerprintParts {
  readonly method: string;
  readonly path: string;
  /** Bytes as they came, or a parsed JSON value: then neither white space nor the order of keys counts. */
  readonly body: unknown;
}

/**
 * A digest that two requests share if and only if their method, path and body are the same.
 *
 * @example
 * fingerprint({ method: 'POST', path: '/orders', body: { sku: 'A-1' } });
 */
export function fingerprint({ method, path, body }: FingerprintParts): string {
  const hash = createHash('sha256').update(JSON.stringify([method.toUpperCase(), path]));
  if (body instanceof Uint8Array) hash.update('\nbytes\n').update(body);
  else hash.update('\njson\n').update(canonical(body));
  return hash.digest('base64url');
}

// Keys in a fixed order at every depth. As lists, because an object would move keys that look like numbers to its front.
function canonical(value: unknown): string {
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

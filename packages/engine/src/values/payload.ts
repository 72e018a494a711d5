// Values of user code in stored form, within the limit of their size: inputs, results, and what is sent and published.

import { isPerdureError, PerdureError } from './errors.js';
import { encode } from './serialize.js';

/** `encode` within a limit. Throws UNSERIALIZABLE, PAYLOAD_TOO_LARGE. */
export function encodeWithin(value: unknown, what: string, limit: number): string {
  const text = encode(value, what);
  const bytes = bytesBeyond(text, limit);
  if (bytes !== undefined) throw new PerdureError('PAYLOAD_TOO_LARGE', { what, bytes, limit });
  return text;
}

/**
 * The same for what a function returned, where undefined stays undefined. Its errors have the detail `isResult`: they are the fault
 * of the function, and never of somebody who has sent a value and awaits the run.
 */
export function encodeResult(value: unknown, what: string, limit: number): string | undefined {
  if (value === undefined) return undefined;
  try {
    return encodeWithin(value, what, limit);
  } catch (error) {
    if (isPerdureError(error)) Object.assign(error.details, { isResult: true });
    throw error;
  }
}

// A character has at most three bytes in UTF-8.
function bytesBeyond(text: string, limit: number): number | undefined {
  if (text.length <= limit / 3) return undefined;
  const bytes = Buffer.byteLength(text);
  return bytes > limit ? bytes : undefined;
}

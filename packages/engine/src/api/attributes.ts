// The attributes of a run in stored form: what its start was given, and what goes along from the caller's context.

import { withCarried } from '../run/carried-context.js';
import type { RunHost } from '../run/run-host.js';
import { PerdureError } from '../values/errors.js';

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
  const reason = 'give a plain JSON object without null characters or broken Unicode';
  throw new PerdureError('OPTION_INVALID', { option: 'attributes', value: attributes, reason });
}

function jsonText(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined; // a cycle, a bigint
  }
}

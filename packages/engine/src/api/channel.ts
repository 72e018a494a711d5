// What topics, events and streams have in common: a name, the type of their values, and how a value is checked and stored.

import { PerdureError } from '../values/errors.js';
import { checkName } from '../values/ids.js';
import { encodeWithin } from '../values/payload.js';
import { checkSchema, validate, type StandardSchema } from '../values/standard-schema.js';

/** A named, typed place for values. */
export interface Channel<Kind extends string, Value> {
  readonly kind: Kind;
  readonly name: string;
  readonly schema: StandardSchema<Value> | undefined;
}

/** Checks and fixes a channel. Throws NAME_INVALID, OPTION_INVALID. */
export function defineChannel<Kind extends 'topic' | 'event' | 'stream', Value>(
  kind: Kind,
  name: string,
  schema: StandardSchema<Value> | undefined,
): Channel<Kind, Value> {
  return {
    kind,
    name: checkName(kind, name),
    schema: checkSchema(schema, { option: 'schema', of: `${kind} "${name}"` }),
  };
}

/** For programs without types, which may give a name, or another kind of channel. Throws OPTION_INVALID. */
export function requireChannel(kind: 'topic' | 'event' | 'stream', channel: Channel<string, unknown>): void {
  const given: Channel<string, unknown> | null | undefined = channel; // nothing, where two files import each other
  if (given?.kind === kind) return;
  const value = typeof given === 'string' ? given : (given?.kind ?? typeof given);
  throw new PerdureError('OPTION_INVALID', { option: kind, value, reason: `make one with ${kind}()` });
}

/** Validates a value and puts it into stored form. Throws INPUT_INVALID, UNSERIALIZABLE, PAYLOAD_TOO_LARGE. */
export async function encodeValue(
  { kind, name, schema }: Channel<'topic' | 'event' | 'stream', unknown>,
  value: unknown,
  maxBytes: number,
): Promise<string> {
  const what = `a value of ${kind} "${name}"`;
  const checked = schema === undefined ? value : await validate(schema, value, what);
  // Whoever waits for it would take it for a wait whose time is up.
  if (checked === undefined && kind !== 'stream')
    throw new PerdureError('UNSERIALIZABLE', { what, path: '$', type: 'undefined, which stands for no value,' });
  return encodeWithin(checked, what, maxBytes);
}

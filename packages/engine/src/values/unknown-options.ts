// Options that are misspelt, or no options at all: types refuse them, but plain JavaScript would leave them without an effect, and nobody
// told.

import { PerdureError } from './errors.js';
import { kindInWords } from './value-in-words.js';

/**
 * Refuses options that are no object, or not among the known ones. `what`: whose options they are, in the plural. The error tells the value
 * of the one that is not known. For those who build upon the engine. Throws OPTION_INVALID.
 *
 * @example
 * refuseUnknown(options, { timeout: true, headers: true }, 'webhooks');
 */
export function refuseUnknown(options: object, known: Readonly<Record<string, true>>, what: string): void {
  requireOptions(options, known, what);
  for (const option of Object.keys(options)) {
    if (Object.hasOwn(known, option)) continue;
    const reason = `${what} have no such option; known are ${Object.keys(known).join(', ')}`;
    throw new PerdureError('OPTION_INVALID', { option, value: Reflect.get(options, option), reason });
  }
}

/** Refuses options that are no object. Throws OPTION_INVALID. */
export function requireOptions(options: object, known: Readonly<Record<string, true>>, what: string): void {
  if (isObject(options)) return;
  const given: unknown = options;
  const value = typeof given !== 'object' || given === null || Array.isArray(given) ? given : kindInWords(given);
  const reason = `those of ${what} are an object, as { ${Object.keys(known)[0] ?? ''} }`;
  throw new PerdureError('OPTION_INVALID', { option: 'options', value, reason });
}

/** Refuses what is no list: one thing that was meant to be the only one of it, or nothing. Throws OPTION_INVALID. */
export function requireList<T>(list: readonly T[], option: string): readonly T[] {
  const given: unknown = list;
  if (Array.isArray(given)) return list;
  throw new PerdureError('OPTION_INVALID', { option, value: given, reason: 'give a list' });
}

/** Refuses what is neither true nor false: the text 'false', of a query or a variable, would count as true. Throws OPTION_INVALID. */
export function checkFlag(value: boolean | undefined, option: string): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? false;
  throw new PerdureError('OPTION_INVALID', { option, value, reason: 'it is neither true nor false' });
}

/** Refuses what is no signal, as the controller that it belongs to. Throws OPTION_INVALID. */
export function checkSignal(signal: AbortSignal | undefined): AbortSignal | undefined {
  const given: Partial<AbortSignal> | null | undefined = signal;
  if (given === undefined || typeof given?.addEventListener === 'function') return signal;
  throw new PerdureError('OPTION_INVALID', {
    option: 'signal',
    value: given === null ? given : kindInWords(given),
    reason: 'give an AbortSignal, as the `signal` of an AbortController',
  });
}

// A list, a Map or an AbortSignal is an object as well, without any option: it says of itself what it is. A module may consist of options.
function isObject(given: unknown): boolean {
  return ['[object Object]', '[object Module]'].includes(Object.prototype.toString.call(given));
}

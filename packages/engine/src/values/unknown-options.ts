// Options that are misspelt: types refuse them, but plain JavaScript would leave them without an effect, and nobody told.

import { PerdureError } from './errors.js';

/**
 * Refuses options that are no object, or not among the known ones. `what`: whose options they are, in the plural. The error tells the value
 * of the one that is not known. For those who build upon the engine. Throws OPTION_INVALID.
 *
 * @example
 * refuseUnknown(options, { timeout: true, headers: true }, 'webhooks');
 */
export function refuseUnknown(options: object, known: Readonly<Record<string, true>>, what: string): void {
  if (!isObject(options)) {
    const reason = `those of ${what} are an object, as { ${Object.keys(known)[0] ?? ''} }`;
    throw new PerdureError('OPTION_INVALID', { option: 'options', value: options, reason });
  }
  for (const option of Object.keys(options)) {
    if (Object.hasOwn(known, option)) continue;
    const reason = `${what} have no such option; known are ${Object.keys(known).join(', ')}`;
    throw new PerdureError('OPTION_INVALID', { option, value: Reflect.get(options, option), reason });
  }
}

function isObject(given: unknown): boolean {
  return typeof given === 'object' && given !== null;
}

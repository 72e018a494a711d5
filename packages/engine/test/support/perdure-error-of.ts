// What an act fails with, for tests of bad input.

import { expect } from '@jest/globals';
import { errorTable, isPerdureError, type ErrorCode, type PerdureError } from '../../src/values/errors.js';

/**
 * The error of this code that the promise rejects with, or that the function throws. Fails the test if there is none,
 * or if its message lacks one of its three parts: what happened and why it matters, then what to do.
 */
export async function perdureErrorOf<Code extends ErrorCode>(
  act: Promise<unknown> | (() => unknown),
  code: Code,
): Promise<PerdureError<Code>> {
  const error = await thrownBy(act);
  if (!isPerdureError(error, code)) throw new Error(`expected the error ${code}, not this`, { cause: error });
  expect(error.message).toMatch(new RegExp(`^${code}: [^.].*[^.]\\. [A-Z].*\\.$`, 's'));
  expect(error.message.endsWith(`. ${errorTable[code].remedy}`)).toBe(true);
  expect(error.message).not.toMatch(/\[object/);
  return error;
}

async function thrownBy(act: Promise<unknown> | (() => unknown)): Promise<unknown> {
  try {
    await (typeof act === 'function' ? act() : act);
  } catch (error) {
    return error;
  }
  return new Error('nothing was thrown');
}

import { describe, expect, test } from '@jest/globals';
import { errorTable, isErrorCode, isPerdureError, PerdureError, revivePerdureError } from '../../src/values/errors.js';
import { sampleDetails } from './error-samples.js';

const codes = Object.keys(errorTable).filter(isErrorCode);

describe('an error', () => {
  test('says its code, what happened with the values, and what to do', () => {
    const error = new PerdureError('RUN_EXISTS', { id: 'order-7', workflow: 'checkout' });

    expect(error.message).toBe(
      'RUN_EXISTS: run "order-7" of workflow "checkout" already exists by another start, and this one must not share it. ' +
        'Use the existing run, or choose another id.',
    );
  });

  test.each(codes)('of code %s has a message in three parts without gaps', (code) => {
    const { message } = new PerdureError(code, sampleDetails[code]);

    expect(message).toMatch(new RegExp(`^${code}: [^.].*[^.]\\. [A-Z].*[^.]\\.$`));
    expect(message).not.toMatch(/undefined|\[object|\.\.(?!\.)| {2}/);
  });

  test('carries its details, HTTP status and whether to repeat', () => {
    const error = new PerdureError('DATABASE_READ_ONLY', { target: 'db:5432/app' });

    expect(error).toMatchObject({ details: { target: 'db:5432/app' }, httpStatus: 503, isRetryable: true });
  });

  test('is an Error whose stack starts with its name', () => {
    const error = new PerdureError('RUN_NOT_FOUND', { id: 'order-7' });

    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe('PerdureError');
    expect(error.stack).toMatch(/^PerdureError: RUN_NOT_FOUND: /);
  });

  test('has a cause and several errors only if they were given', () => {
    const cause = new TypeError('last');
    const bare = new PerdureError('STEP_RETRIES_EXHAUSTED', { step: 'charge', attempts: 1 });
    const full = new PerdureError(
      'STEP_RETRIES_EXHAUSTED',
      { step: 'charge', attempts: 1 },
      { cause, errors: [cause] },
    );

    expect([Object.hasOwn(bare, 'cause'), Object.hasOwn(bare, 'errors')]).toEqual([false, false]);
    expect([full.cause, full.errors]).toEqual([cause, [cause]]);
  });

  test('shortens long lists and values in its message, not in its details', () => {
    const known = Array.from({ length: 40 }, (_, n) => `workflow-${n}`);
    const unknown = new PerdureError('WORKFLOW_UNKNOWN', { workflow: 'x', known });
    const invalid = new PerdureError('DURATION_INVALID', { value: 'a'.repeat(1000), what: 'timeout' });

    expect(unknown.message).toContain('"workflow-9", 30 more)');
    expect(unknown.details['known']).toHaveLength(40);
    expect(invalid.message.length).toBeLessThan(400);
  });
});

test('the compiler asks for the details of the code', () => {
  const wrong = [
    // @ts-expect-error -- the workflow is missing
    () => new PerdureError('RUN_EXISTS', { id: 'order-7' }),
    // @ts-expect-error -- there is no such code
    () => new PerdureError('RUN_LOST', { id: 'order-7' }),
    // @ts-expect-error -- a number is not an id
    () => new PerdureError('RUN_NOT_FOUND', { id: 7 }),
  ];

  expect(wrong).toHaveLength(3);
});

describe('telling errors apart', () => {
  test('the guard matches the code that is asked for', () => {
    const error: unknown = new PerdureError('RUN_EXISTS', { id: 'order-7', workflow: 'checkout' });

    expect(isPerdureError(error)).toBe(true);
    expect(isPerdureError(error, 'RUN_EXISTS')).toBe(true);
    expect(isPerdureError(error, 'RUN_NOT_FOUND')).toBe(false);
  });

  test.each([[new Error('RUN_EXISTS')], [{ code: 'RUN_EXISTS' }], ['RUN_EXISTS'], [null], [undefined]])(
    'the guard denies %p',
    (value) => {
      expect(isPerdureError(value)).toBe(false);
    },
  );

  test('an error of another copy of the package is accepted', () => {
    class OtherCopy extends Error {}
    Object.defineProperty(OtherCopy.prototype, Symbol.for('perdure/error/v1'), { value: true });

    expect(new OtherCopy()).toBeInstanceOf(PerdureError);
  });

  test('a subclass accepts only its own instances', () => {
    class Special extends PerdureError<'RUN_NOT_FOUND'> {}

    expect(new Special('RUN_NOT_FOUND', { id: 'a' })).toBeInstanceOf(Special);
    expect(new PerdureError('RUN_NOT_FOUND', { id: 'a' })).not.toBeInstanceOf(Special);
  });
});

describe('an error from storage', () => {
  test('keeps the message with which it was recorded', () => {
    const error = revivePerdureError({
      message: 'RUN_EXISTS: as phrased last year',
      code: 'RUN_EXISTS',
      stack: 'stack',
    });

    expect(error).toBeInstanceOf(PerdureError);
    expect(error).toMatchObject({ message: 'RUN_EXISTS: as phrased last year', name: 'PerdureError', stack: 'stack' });
  });

  test('takes what is missing or has another type from the table', () => {
    const error = revivePerdureError({ message: 'm', code: 'RUN_EXISTS', httpStatus: 'many', details: [1] });

    expect(error).toMatchObject({ details: {}, httpStatus: 409, isRetryable: false });
  });

  test('may have a code that only a newer release knows', () => {
    const error = revivePerdureError({ message: 'm', code: 'RUN_FROZEN', httpStatus: 423, isRetryable: true });

    expect(error).toMatchObject({ code: 'RUN_FROZEN', httpStatus: 423, isRetryable: true });
    expect(isErrorCode(error.code)).toBe(false);
  });
});

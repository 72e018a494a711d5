// The one error class of the engine, how it is told apart, and how it comes back from storage.
// Every layer throws it; what each code means is in error-table.ts.

import { type ErrorCode, type ErrorDetails, errorTable, isErrorCode } from './error-table.js';

export { type ErrorCode, type ErrorDetails, errorTable, type InputIssue, isErrorCode } from './error-table.js';

// On the prototype of every copy of this class: a bundler or a mix of ESM and CommonJS can load two copies, and `instanceof`
// by identity would then deny an error of the other copy.
const brand = Symbol.for('perdure/error/v1');

/** What an error may bring besides its details. */
export interface PerdureErrorOptions {
  readonly cause?: unknown;
  /** Several errors behind this one, for instance one per attempt. */
  readonly errors?: readonly unknown[];
}

/**
 * The error that perdure throws. Match on `code`; the message is for people and may change between releases.
 * An error read back from storage has the code, message, details and cause chain that it was recorded with.
 *
 * @example
 * try {
 *   await engine.startWorkflow(checkout, order, { id: 'order-7', onDuplicate: 'reject' });
 * } catch (error) {
 *   if (!isPerdureError(error, 'RUN_EXISTS')) throw error;
 * }
 */
export class PerdureError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly code: Code;
  /** The values in the message, under the names that docs/reference/errors.md lists for the code. */
  readonly details: Readonly<Record<string, unknown>>;
  /** The status that an HTTP adapter answers with. */
  readonly httpStatus: number;
  /** Whether the same call may succeed later with nothing changed. */
  readonly isRetryable: boolean;
  /** Several errors behind this one; `STEP_RETRIES_EXHAUSTED` has one per attempt. */
  declare readonly errors?: readonly unknown[];

  constructor(code: Code, details: ErrorDetails[Code], options: PerdureErrorOptions = {}) {
    const { httpStatus, isRetryable, remedy, message } = errorTable[code];
    super(`${code}: ${message(details)}. ${remedy}`, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = details;
    this.httpStatus = httpStatus;
    this.isRetryable = isRetryable;
    if (options.errors !== undefined) hide(this, 'errors', options.errors);
  }

  override get name(): string {
    return 'PerdureError';
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== PerdureError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === 'object' && value !== null && brand in value;
  }
}

Object.defineProperty(PerdureError.prototype, brand, { value: true });

/** Whether `error` is a perdure error, of any loaded copy of the package, and has this code if one is asked for. */
export function isPerdureError<Code extends ErrorCode = ErrorCode>(
  error: unknown,
  code?: Code,
): error is PerdureError<Code> {
  return error instanceof PerdureError && (code === undefined || error.code === code);
}

/** A perdure error as storage holds it. A field that is missing or has another type is filled from the table. */
export interface StoredPerdureError {
  readonly message: string;
  readonly stack?: string | undefined;
  readonly code?: unknown;
  readonly details?: unknown;
  readonly httpStatus?: unknown;
  readonly isRetryable?: unknown;
}

/**
 * The error that was stored, with its message verbatim: today's table is not asked to phrase it again.
 * A code that a newer release recorded is kept as it is.
 */
export function revivePerdureError(stored: StoredPerdureError): PerdureError {
  const error = new Error(stored.message);
  Object.setPrototypeOf(error, PerdureError.prototype);
  const known = isErrorCode(stored.code) ? errorTable[stored.code] : { httpStatus: 500, isRetryable: false };
  error.stack = stored.stack ?? `PerdureError: ${stored.message}`;
  return Object.assign(error, {
    code: stored.code,
    details: isRecord(stored.details) ? stored.details : {},
    httpStatus: typeof stored.httpStatus === 'number' ? stored.httpStatus : known.httpStatus,
    isRetryable: typeof stored.isRetryable === 'boolean' ? stored.isRetryable : known.isRetryable,
  }) as PerdureError;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hide(error: Error, property: string, value: unknown): void {
  Object.defineProperty(error, property, { value, writable: true, configurable: true, enumerable: false });
}

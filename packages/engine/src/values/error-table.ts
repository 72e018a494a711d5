// The closed table of error codes. Adding a code means a row in one of the parts and an entry in docs/reference/errors.md;
// a test compares both.

import type { ErrorRow } from './error-row.js';
import { frameworkErrors } from './error-table-frameworks.js';
import { requestErrors } from './error-table-http.js';
import { runErrors } from './error-table-runs.js';
import { setupErrors } from './error-table-setup.js';

export type { ErrorRow } from './error-row.js';
export type { InputIssue } from './error-table-runs.js';

const rows = { ...setupErrors, ...runErrors, ...requestErrors, ...frameworkErrors };

/** The code of an error: what callers match on. */
export type ErrorCode = keyof typeof rows;

/** The facts that come with each code. */
export type ErrorDetails = { readonly [Code in ErrorCode]: Parameters<(typeof rows)[Code]['message']>[0] };

/** Every error code with its HTTP status, whether a repetition may help, its message and its documentation. */
export const errorTable: { readonly [Code in ErrorCode]: ErrorRow<ErrorDetails[Code]> } = rows;

/** Whether this release knows `code`. A newer release may have recorded one that it does not. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errorTable, code);
}

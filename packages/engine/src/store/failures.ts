// What a failed statement means: try again, tell the user, or give up. Codes: the PostgreSQL manual, appendix A.

import { types } from 'node:util';
import { isPerdureError, PerdureError } from '../values/errors.js';

/** What to do about a failed statement. */
export type FailureKind =
  | 'lost' // the connection is gone: nobody knows whether the statement took effect
  | 'transient' // it did not take effect, and may succeed later
  | 'duplicate' // a unique key is taken
  | 'permanent'; // it will fail again

// 28 and 3D000: a connection that was refused, which a change on the server can cause and mend at any time.
const lostCodes = /^(08|28|3D000|57P0[1-5])/;
// 25006: read only after a failover. 40: serialization, deadlock. 53: disk, memory, connections. 55P03: lock timeout.
// 57014: statement timeout. 58: I/O. XX000 and XX001 are left permanent: they need a person.
const transientCodes = /^(25006|40|53|55P03|55006|57014|58)/;
const socketCodes = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'EACCES',
]);

/** Sorts an error that the driver threw. Whatever has no SQLSTATE is the connection's. */
export function kindOf(error: unknown): FailureKind {
  const code = codeOf(error);
  if (isPerdureError(error, 'DATABASE_UNREACHABLE')) return 'lost'; // explained already
  if (code === undefined || socketCodes.has(code) || lostCodes.test(code)) return 'lost';
  if (code === '23505') return 'duplicate';
  return transientCodes.test(code) ? 'transient' : 'permanent';
}

/** The SQLSTATE or system error code of an error, if it has one. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The same failure as an error that tells the user what to do. `target` names the database without its password. */
export function explain(error: unknown, target: string): PerdureError {
  if (isPerdureError(error)) return error;
  const reason = reasonOf(error);
  if (isReadOnly(error)) return new PerdureError('DATABASE_READ_ONLY', { target }, { cause: error });
  if (kindOf(error) === 'lost' || isRefusedLogin(error)) {
    return new PerdureError('DATABASE_UNREACHABLE', { target, reason }, { cause: error });
  }
  return new PerdureError('DATABASE_REFUSED', { reason }, { cause: error });
}

/** Whether a server that can only be read from was asked to write: a replica, or a primary that was demoted. */
export function isReadOnly(error: unknown): boolean {
  return codeOf(error) === '25006';
}

/** Whether a statement gave up waiting for a lock. */
export function isLockTimeout(error: unknown): boolean {
  return codeOf(error) === '55P03';
}

/** Whether the driver gave up waiting for an answer: the server is stuck, or nothing comes through to it. */
export function isSilence(error: unknown): boolean {
  return types.isNativeError(error) && error.message === 'Query read timeout';
}

/** Whether the named prepared statement is unknown or already there: a pooler in transaction mode stands between. */
export function isPreparedStatementFault(error: unknown): boolean {
  const code = codeOf(error);
  return code === '26000' || code === '42P05';
}

function isRefusedLogin(error: unknown): boolean {
  return /^(28|3D000)/.test(codeOf(error) ?? '');
}

// Told by its nature, not by instanceof: a test runner's realm has classes of its own.
function reasonOf(error: unknown): string {
  if (!types.isNativeError(error)) return String(error);
  if (error.message !== '' || !('errors' in error) || !Array.isArray(error.errors)) return error.message;
  return error.errors.map(reasonOf).join('; '); // every address of a host was refused
}

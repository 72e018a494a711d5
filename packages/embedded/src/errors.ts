// The one error class of this package and its closed list of codes. Every message has three parts: what happened,
// why it matters, what to do.

/** What can go wrong between asking for a Postgres and having one. */
export type EmbeddedPostgresErrorCode =
  | 'BINARIES_NOT_FOUND'
  | 'BINARIES_UNUSABLE'
  | 'DIRECTORY_UNUSABLE'
  | 'USER_UNKNOWN'
  | 'CREATE_FAILED'
  | 'DATA_VERSION_MISMATCH'
  | 'START_FAILED'
  | 'STOP_FAILED';

/**
 * Says why there is no Postgres: what happened, why it matters, and what to do.
 * Match on `code`; the text may change.
 */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';
  readonly code: EmbeddedPostgresErrorCode;

  constructor(code: EmbeddedPostgresErrorCode, message: string, options?: ErrorOptions) {
    super(`${code}: ${message}`, options);
    this.code = code;
  }
}

/** The advice that always works, in the same words everywhere. */
export const useAnotherPostgres = 'set DATABASE_URL to any Postgres 14 or newer';

/** The text of a caught value, for messages that must name the cause. */
export function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

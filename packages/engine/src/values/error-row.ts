// The shape of one row of the error table, and how values are put into a message.
// The two halves of the table use it; nothing else does.

/** Everything that is fixed about one error code. `Details` are the facts that each occurrence brings. */
export interface ErrorRow<Details> {
  /** The status that an HTTP adapter answers with. */
  readonly httpStatus: number;
  /** Whether the same call may succeed later with nothing changed. */
  readonly isRetryable: boolean;
  /** For the docs: when it happens and why it matters. */
  readonly what: string;
  /** For the docs and the end of the message: what to do. */
  readonly remedy: string;
  /** What happened, with the values, and why it matters: a clause without a full stop. */
  readonly message: (details: Details) => string;
}

/** Fixes the type of the details of one row, so that the table needs no annotation beside it. */
export function row<Details>(errorRow: ErrorRow<Details>): ErrorRow<Details> {
  return errorRow;
}

/** `"a", "b"`, or `none`; a long list ends with how many more there are. */
export function listed(names: readonly string[]): string {
  if (names.length === 0) return 'none';
  const shown = names.slice(0, 10).map((name) => `"${name}"`);
  if (names.length > shown.length) shown.push(`${names.length - shown.length} more`);
  return shown.join(', ');
}

/** A value that somebody passed, in one short line: `"5 parsecs"`, `-1`, `a function`. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : plainly(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function plainly(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'bigint' ? `${value}n` : String(value);
}

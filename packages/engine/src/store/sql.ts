// What a statement is, how the schema name gets into it, and how rows are read back.
// Statements are whole constants beside the function that runs them; values travel only as parameters.

import { PerdureError } from '../values/errors.js';

/** A whole SQL statement. `{schema}` stands for the quoted schema name; `name` and `variant` are its prepared name. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  /** Tells texts of one name apart. */
  readonly variant?: string;
}

/** One row, as the driver gives it: read with the functions below, which check. */
export type Row = Readonly<Record<string, unknown>>;

/** Runs a statement and returns its rows. A pool and a single connection both can. */
export interface Queryable {
  query(statement: Statement, values: readonly unknown[]): Promise<readonly Row[]>;
}

/** Declares a statement. Names are unique in the engine, with their variant if there are several; Postgres cuts them after 63 bytes. */
export function statement(name: string, text: string, variant = ''): Statement {
  return { name: `perdure_${name}`, text, variant };
}

/**
 * Numbers the array parameters of a statement from `first` on: each call gives the placeholders of the next ones, whose types stand
 * in words.
 *
 * @example
 * const take = arrayParameters(2);
 * take('text int4'); // ['$2::text[]', '$3::int4[]']
 * take('int8'); // ['$4::int8[]']
 */
export function arrayParameters(first: number): (types: string) => readonly string[] {
  let next = first;
  return (types) => types.split(' ').map((type) => `$${next++}::${type}[]`);
}

/** Parallel arrays as rows. */
export function unnest(columns: readonly string[]): string {
  return `unnest(${columns.join(', ')})`;
}

/** The statement's text for one schema. */
export function textFor(text: string, schema: string): string {
  const quoted = quoteName(schema);
  const inText = quoted.replaceAll("'", "''"); // a name inside of a literal, as nextval takes it
  // In a plain replacement, $ would have a meaning.
  return text.replaceAll("'{schema}", () => `'${inText}`).replaceAll('{schema}', () => quoted);
}

/** A name as an SQL identifier, whatever characters it has. */
function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text column that is never null. */
export function readText(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw unexpected(column, 'text', value);
  return value;
}

/** A text column that may be null. */
export function findText(row: Row, column: string): string | undefined {
  const value = row[column];
  return value === null || value === undefined ? undefined : readText(row, column);
}

/** A number column that is never null. */
export function readNumber(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number') throw unexpected(column, 'a number', value);
  return value;
}

/** A number column that may be null. */
export function findNumber(row: Row, column: string): number | undefined {
  const value = row[column];
  return value === null || value === undefined ? undefined : readNumber(row, column);
}

/** A boolean column that is never null. */
export function readBoolean(row: Row, column: string): boolean {
  const value = row[column];
  if (typeof value !== 'boolean') throw unexpected(column, 'a boolean', value);
  return value;
}

/** A text array column; null reads as empty. */
export function readTexts(row: Row, column: string): readonly string[] {
  return findTexts(row, column) ?? [];
}

/** A text array column that may be null. */
export function findTexts(row: Row, column: string): readonly string[] | undefined {
  const value = row[column];
  if (value === null || value === undefined) return undefined;
  if (!Array.isArray(value)) throw unexpected(column, 'an array', value);
  return value.map((item: unknown) => String(item));
}

/** The only row of an answer that always has one. */
export function onlyRow(rows: readonly Row[]): Row {
  const row = rows[0];
  if (row === undefined) throw unexpected('(row)', 'one row', undefined);
  return row;
}

function unexpected(column: string, wanted: string, value: unknown): PerdureError<'PAYLOAD_CORRUPT'> {
  return new PerdureError('PAYLOAD_CORRUPT', {
    what: `column ${column}`,
    reason: `expected ${wanted}, found ${value === null ? 'null' : typeof value}`,
  });
}

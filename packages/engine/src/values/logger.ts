// What the engine says about itself. The interface is pino's argument order, so that a pino logger fits as it is.
// The log is one listener of the engine's events: nothing depends on what is written here.

import { inspect } from 'node:util';
import { PerdureError } from './errors.js';

/** Where log lines go. A pino logger fits as it is. An error stands in the field `err`. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

export type LogFields = Readonly<Record<string, unknown>>;
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

export interface ConsoleLoggerOptions {
  /** The least level that is written, or `'silent'`. Default: the environment variable PERDURE_LOG_LEVEL, else `'info'`. */
  readonly level?: LogLevel | 'silent';
  /** Short lines for people instead of one JSON object per line. Default: whether standard output is a terminal. */
  readonly pretty?: boolean;
}

/** A logger that writes nothing. */
export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/**
 * A logger on the console of the process: warnings and errors to standard error, the rest to standard output.
 * Throws `OPTION_INVALID` for an unknown level.
 *
 * @example
 * const logger = consoleLogger({ level: 'debug' });
 * logger.info({ runId: 'order-7' }, 'run started');
 */
export function consoleLogger(options: ConsoleLoggerOptions = {}): Logger {
  const least = leastLevel(options.level);
  const format = (options.pretty ?? process.stdout.isTTY) ? prettyLine : jsonLine;
  const writer = (level: LogLevel): Logger[LogLevel] =>
    levels.indexOf(level) < least ? ignore : (fields, message) => console[level](format(level, fields, message));
  return { debug: writer('debug'), info: writer('info'), warn: writer('warn'), error: writer('error') };
}

function leastLevel(option: string | undefined): number {
  const value = option ?? (process.env['PERDURE_LOG_LEVEL'] || 'info');
  const least = value === 'silent' ? levels.length : levels.findIndex((level) => level === value);
  if (least >= 0) return least;
  const name = option === undefined ? 'PERDURE_LOG_LEVEL' : 'level';
  throw new PerdureError('OPTION_INVALID', {
    option: name,
    value,
    reason: `it must be ${levels.join(', ')} or silent`,
  });
}

function jsonLine(level: LogLevel, fields: LogFields, message: string): string {
  const line = { time: new Date().toISOString(), level, message };
  return jsonText({ ...line, ...fields }) ?? JSON.stringify({ ...line, fields: inspect(fields) });
}

function prettyLine(level: LogLevel, { err, ...fields }: LogFields, message: string): string {
  const time = new Date().toISOString().slice(11, 23);
  const words = Object.entries(fields).map(([name, value]) => `${name}=${wordOf(value)}`);
  const line = [time, level.toUpperCase().padEnd(5), message, ...words].join(' ');
  return err === undefined ? line : `${line}\n${indented(stackOf(err))}`;
}

function wordOf(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : (jsonText(value) ?? inspect(value));
}

/** An error and its causes as text, each with its stack. */
function stackOf(error: unknown, depth = 0): string {
  if (!(error instanceof Error)) return wordOf(error);
  const stack = error.stack ?? `${error.name}: ${error.message}`;
  if (error.cause === undefined || depth >= deepestCause) return stack;
  return `${stack}\ncaused by: ${stackOf(error.cause, depth + 1)}`;
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '    ');
}

const deepestCause = 10;

/** JSON of anything, or nothing if it has a cycle: a log line must never be the reason that something fails. */
function jsonText(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, withErrors);
  } catch {
    return undefined;
  }
}

function withErrors(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return value instanceof Error ? errorFields(value) : value;
}

function errorFields(error: Error): Readonly<Record<string, unknown>> {
  const { name, message, stack, cause } = error;
  return { ...Object.fromEntries(Object.entries(error)), name, message, stack, ...(cause !== undefined && { cause }) };
}

function ignore(): void {}

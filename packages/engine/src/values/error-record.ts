// Errors in recorded form. Errors carry whatever a library hung on them (sockets, requests, functions), and recording one
// must never fail, so every part is read with care and what cannot be recorded is replaced by words.

import { types } from 'node:util';
import { PerdureError } from './errors.js';
import { errorTypes, tagKey, type TaggedRecord } from './tagged-format.js';
import { classNames } from './value-in-words.js';

/** Records one part of an error; `read` is called once and may throw. */
export type RecordPart = (name: string, read: () => unknown) => unknown;

// Told by their own fields of the record. A class may declare them as enumerable properties.
const fieldsOfRecord = new Set(['name', 'message', 'stack', 'cause']);

// A class may define these on its prototype, as those of http-errors do; callers match on them all the same.
const inheritedProperties = ['code', 'status', 'statusCode', 'expose'];

/** Whether a value is an error: also one of another realm (a test runner's), and a DOMException such as an AbortError. */
export function isError(value: object): value is Error {
  return types.isNativeError(value) || value instanceof Error || isDomException(value);
}

/** The recorded form of an error: name, message, stack, built-in class, cause, several errors, own properties. */
export function errorRecord(error: Error, recordPart: RecordPart): TaggedRecord {
  const name = readText(() => error.name, 'Error');
  const message = readText(() => error.message, '');
  const type = errorType(error);
  const impliedType = errorTypes.has(name) ? name : 'Error';
  const hasErrors = type === 'AggregateError' || type === 'PerdureError';
  return {
    [tagKey]: 'error',
    name,
    message,
    stack: readText(() => error.stack, `${name}: ${message}`),
    ...(type !== impliedType && { type }),
    ...(hasCause(error) && { cause: recordPart('cause', () => error.cause) }),
    ...(hasErrors && 'errors' in error && { errors: recordPart('errors', () => error.errors) }),
    ...properties(error, type, recordPart),
  };
}

function properties(error: Error, type: string, recordPart: RecordPart): { properties?: Record<string, unknown> } {
  const names = Object.keys(error).filter((name) => !fieldsOfRecord.has(name));
  if (type !== 'DOMException')
    names.push(...inheritedProperties.filter((name) => name in error && !names.includes(name)));
  const parts = names.map((name) => [name, recordPart(name, () => Reflect.get(error, name))] as const);
  return parts.length === 0 ? {} : { properties: Object.fromEntries(parts) };
}

function errorType(error: Error): string {
  if (error instanceof PerdureError) return 'PerdureError';
  if (isDomException(error)) return 'DOMException';
  for (const name of classNames(error)) if (errorTypes.has(name)) return name;
  return 'Error';
}

function isDomException(value: object): boolean {
  return Object.prototype.toString.call(value) === '[object DOMException]';
}

// Some libraries have a method of that name.
function hasCause(error: Error): boolean {
  return 'cause' in error && typeof tryRead(() => error.cause) !== 'function';
}

function readText(read: () => unknown, otherwise: string): string {
  const text = tryRead(read);
  return typeof text === 'string' ? text : otherwise;
}

function tryRead(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return undefined;
  }
}

const longestText = 16_384;
const longestProperty = 4_096;
const mostErrors = 20;
const mostCauses = 10;

/**
 * The same error with its large parts replaced by words. An HTTP client's error may carry a whole response; that must not
 * make the failure itself too large to record.
 */
export function shortenedRecord(record: TaggedRecord, depth = 0): TaggedRecord {
  const { message, stack, cause, errors, properties: own } = record;
  return {
    ...record,
    message: shortenedText(message),
    stack: shortenedText(stack),
    ...('cause' in record && { cause: shortenedCause(cause, depth) }),
    ...(Array.isArray(errors) && { errors: errors.slice(0, mostErrors).map((each) => shortenedCause(each, depth)) }),
    ...(isObject(own) && { properties: shortenedProperties(own) }),
  };
}

function shortenedCause(cause: unknown, depth: number): unknown {
  if (!isErrorRecord(cause)) return shortenedPart(cause);
  return depth < mostCauses ? shortenedRecord(cause, depth + 1) : omitted('a long chain of causes');
}

function shortenedProperties(own: object): Record<string, unknown> {
  const short = Object.entries(own).map(([name, part]) => [name, shortenedPart(part)] as const);
  return Object.fromEntries(short.slice(0, 100));
}

function shortenedPart(part: unknown): unknown {
  const { length } = JSON.stringify(part);
  return length <= longestProperty ? part : omitted(`${length} characters`);
}

function shortenedText(text: unknown): unknown {
  if (typeof text !== 'string' || text.length <= longestText) return text;
  return `${text.slice(0, longestText)} ${omitted(`${text.length - longestText} more characters`)}`;
}

/** What stands in the place of a part of an error that is not recorded. */
export function omitted(what: string): string {
  return `[not recorded: ${what}]`;
}

/** Whether a recorded value is an error. */
export function isErrorRecord(value: unknown): value is TaggedRecord {
  return isObject(value) && tagKey in value && value[tagKey] === 'error';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

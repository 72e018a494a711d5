// Run ids and names: how they are made, and what is accepted from users.
// Generated ids are UUIDv7 (RFC 9562, method 1: a monotonic counter in rand_a), so that inserts stay at the right
// hand of the index. Chosen ids are any printable text.

import { createHash, randomFillSync } from 'node:crypto';
import { shown } from './error-row.js';
import { PerdureError } from './errors.js';

declare const runIdBrand: unique symbol;
declare const executorIdBrand: unique symbol;

/** The identity of a run: text chosen by the caller, or a UUIDv7. */
export type RunId = string & { readonly [runIdBrand]: true };

/** The identity of one executor: a UUIDv7, never configured and never reused. */
export type ExecutorId = string & { readonly [executorIdBrand]: true };

// An entry of an index has at most 2,704 bytes, and a character at most three for each unit of its length: an id and a name fit together.
const maxIdLength = 512;
const maxNameLength = 255;
const maxKeyBytes = 1_024;
// Control characters and lone surrogates: unreadable in logs, and Postgres text refuses some of them.
const unprintable =
  /[\u0000-\u001f\u007f-\u009f\u2028\u2029]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** A new time-ordered run id. */
export function newRunId(): RunId {
  return uuidv7() as RunId;
}

/** A new executor id. */
export function newExecutorId(): ExecutorId {
  return uuidv7() as ExecutorId;
}

/**
 * Accepts a run id from a caller: 1 to 512 printable characters.
 * Throws `RUN_ID_INVALID`.
 */
export function checkRunId(id: unknown): RunId {
  const reason = faultOf(id, maxIdLength);
  if (reason !== undefined) throw new PerdureError('RUN_ID_INVALID', { id: preview(id), reason });
  return id as RunId;
}

/**
 * Accepts a name of a workflow, step, queue or topic: 1 to 255 printable characters.
 * Throws `NAME_INVALID`.
 */
export function checkName(kind: string, name: unknown): string {
  const reason = faultOf(name, maxNameLength);
  if (reason !== undefined) throw new PerdureError('NAME_INVALID', { kind, name: preview(name), reason });
  return name as string;
}

/** The id of the n-th run that a parent starts under one name: the same on every replay. */
export function childRunId(parent: RunId, name: string, occurrence: number): RunId {
  const id = occurrence === 1 ? `${parent}/${name}` : `${parent}/${name}#${occurrence}`;
  return (id.length <= maxIdLength ? id : `child-${digest(id)}`) as RunId;
}

/** The dedup key of the n-th message that a run sends on a topic: the same on every replay. */
export function sendKey(sender: RunId, topic: string, occurrence: number): string {
  const key = `${sender} ${topic} ${occurrence}`;
  return Buffer.byteLength(key) <= maxKeyBytes ? key : `sent-${digest(key)}`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function faultOf(text: unknown, maxLength: number): string | undefined {
  if (typeof text !== 'string') return `it is ${text === null ? 'null' : typeof text}, not a string`;
  if (text.length === 0) return 'it is empty';
  if (text.length > maxLength) return `it has ${text.length} characters, more than ${maxLength}`;
  if (unprintable.test(text)) return 'it contains control characters or broken Unicode';
  return undefined;
}

function preview(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value).slice(1, -1) : shown(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const hex = (byte: number): string => hexOfByte[byte & 255] ?? '00';
const entropy = Buffer.alloc(8192);
// What the monotonic counter needs to remember between ids. `time` is what the milliseconds make of an id.
const last = { ms: 0, time: '', counter: 0, entropyHex: '', entropyUsed: entropy.length };

function uuidv7(): string {
  const at = takeEntropy(10);
  const byte = (offset: number): number => entropy[at + offset] ?? 0;
  const digits = (from: number, to: number): string => last.entropyHex.slice(2 * (at + from), 2 * (at + to));
  const nowMs = Date.now();
  if (nowMs > last.ms) {
    setTime(nowMs);
    last.counter = ((byte(0) << 8) | byte(1)) & 0x7ff; // the top bit stays free, so that the counter has room to grow
  } else if (++last.counter > 0xfff) {
    setTime(last.ms + 1); // more than 4,096 ids in a millisecond, or a clock that went back: borrow from the future
    last.counter = 0;
  }
  const { time, counter } = last;
  const variant = hex(0x80 | (byte(2) & 0x3f));
  return `${time}${hex(0x70 | (counter >>> 8))}${hex(counter)}-${variant}${digits(3, 4)}-${digits(4, 10)}`;
}

function setTime(ms: number): void {
  const text = ms.toString(16).padStart(12, '0');
  last.ms = ms;
  last.time = `${text.slice(0, 8)}-${text.slice(8)}-`;
}

function takeEntropy(bytes: number): number {
  if (last.entropyUsed + bytes > entropy.length) {
    last.entropyHex = randomFillSync(entropy).toString('hex');
    last.entropyUsed = 0;
  }
  last.entropyUsed += bytes;
  return last.entropyUsed - bytes;
}

// Streams: logs that runs append to and others follow.

import { requireContext } from '../run/context.js';
import { Hint } from '../run/hint.js';
import { writeStreamIn } from '../run/publish.js';
import type { Executor } from '../run/executor.js';
import { selectRunsById } from '../store/runs.js';
import { readChunks, type StoredChunk } from '../store/streams.js';
import type { Database } from '../store/database.js';
import { parseDuration, type Duration } from '../values/duration.js';
import { PerdureError } from '../values/errors.js';
import { checkRunId, type RunId } from '../values/ids.js';
import { decode } from '../values/serialize.js';
import type { StandardSchema } from '../values/standard-schema.js';
import { isFinal } from '../values/status.js';
import { checkSignal, refuseUnknown } from '../values/unknown-options.js';
import { defineChannel, encodeValue, requireChannel, type Channel } from './channel.js';

/** A log that any run may append to under this name. */
export type Stream<Value> = Channel<'stream', Value>;

/**
 * A stream: a log that a run appends to, readable from any position while it runs and after. With a schema, values are
 * checked when they are written. Throws NAME_INVALID, OPTION_INVALID.
 *
 * @example
 * const tokens = stream<string>('tokens');
 */
export function stream<Value>(name: string, schema?: StandardSchema<Value>): Stream<Value> {
  return defineChannel('stream', name, schema);
}

/**
 * Appends a value. In workflow code it is appended once; in a step, by every attempt. Resolves when it is durable.
 * Throws NOT_IN_RUN, STREAM_CLOSED, INPUT_INVALID, UNSERIALIZABLE, PAYLOAD_TOO_LARGE.
 *
 * @example
 * for await (const token of model.stream(prompt)) await writeStream(tokens, token);
 */
export async function writeStream<Value>(to: Stream<Value>, value: Value): Promise<void> {
  const context = requireContext('writeStream');
  requireChannel('stream', to);
  await writeStreamIn(context, to.name, await encodeValue(to, value, context.run.host.maxPayloadBytes));
}

/** Ends a stream: its readers end there. One that is not closed ends with its run. Throws NOT_IN_RUN, STREAM_CLOSED. */
export async function closeStream<Value>(of: Stream<Value>): Promise<void> {
  const context = requireContext('closeStream');
  requireChannel('stream', of);
  await writeStreamIn(context, of.name, undefined);
}

/** A value of a stream and where it stands. */
export interface StreamChunk<Value> {
  /** From 0. To resume behind it, read from `position + 1`. */
  readonly position: number;
  readonly value: Value;
}

/** Options of reading a stream. */
export interface ReadStreamOptions {
  /** Where to begin. Default: 0. */
  readonly from?: number;
  /** How long to wait for the next chunk; then READ_TIMED_OUT is thrown. Default: until the run ends. */
  readonly timeout?: Duration;
  /** Ends the reading without an error. */
  readonly signal?: AbortSignal;
}

const readOptions: Readonly<Record<keyof ReadStreamOptions, true>> = { from: true, timeout: true, signal: true };
const portion = 500;

/** Follows a stream: what is there comes in batches, what is written from then on as it comes. */
export async function* followStream<Value>(
  { database, executor }: { readonly database: Database; readonly executor: Executor },
  { id, of }: { readonly id: string; readonly of: Stream<Value> },
  options: ReadStreamOptions,
): AsyncGenerator<StreamChunk<Value>, void, undefined> {
  const runId = checkRunId(id);
  requireChannel('stream', of);
  refuseUnknown(options, readOptions, 'readers of streams');
  const { from = 0, timeout } = options;
  const signal = checkSignal(options.signal);
  const timeoutMs = timeout === undefined ? undefined : parseDuration(timeout, 'the timeout of readStream');
  if (!Number.isSafeInteger(from) || from < 0) {
    throw new PerdureError('OPTION_INVALID', {
      option: 'from',
      value: from,
      reason: 'positions are whole numbers from 0',
    });
  }
  const hint = new Hint();
  const give = (): void => hint.give();
  const stopListening = executor.interests.on(runId, give);
  const { isOver: isClosed } = executor.persistence(`reading stream "${of.name}"`);
  signal?.addEventListener('abort', give, { once: true });
  try {
    let next = from;
    while (signal?.aborted !== true) {
      if (isClosed()) throw new PerdureError('ENGINE_CLOSED', { operation: 'readStream' });
      // The state is read before the chunks: a run that is over by then has no chunk that these would not show.
      const isOver = await hasEnded(database, runId);
      const chunks = await readChunks(database, { runId, stream: of.name, from: next }, portion);
      const end = chunks.findIndex(({ value }) => value === undefined);
      yield* chunks.slice(0, end < 0 ? chunks.length : end).map((chunk) => open(of, chunk));
      if (end >= 0) return;
      next = (chunks.at(-1)?.position ?? next - 1) + 1;
      if (chunks.length === portion) continue;
      if (isOver) return;
      if (!(await hint.wait(timeoutMs))) {
        throw new PerdureError('READ_TIMED_OUT', { stream: of.name, id: runId, timeoutMs: timeoutMs ?? 0 });
      }
    }
  } finally {
    stopListening();
    signal?.removeEventListener('abort', give);
  }
}

function open<Value>({ name }: Stream<Value>, { position, value = '' }: StoredChunk): StreamChunk<Value> {
  return { position, value: decode(value, `a value of stream "${name}"`) as Value };
}

async function hasEnded(database: Database, id: RunId): Promise<boolean> {
  const [run] = await selectRunsById(database, [id]);
  if (run === undefined) throw new PerdureError('RUN_NOT_FOUND', { id });
  return isFinal(run.status);
}

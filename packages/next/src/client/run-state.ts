// What is known of a run in the browser, and how each thing that the server tells changes it. Pure: no connection, no React.

import type { RunStatus } from 'perdure';
import type { ServerSentEvent } from './event-stream.js';
import { isRecord, type PerdureRequestError } from './request-error.js';
import type { EventsOf, ResultOf, RunTypes, StreamsOf } from './run-types.js';

/**
 * `idle`: no run is asked for. `connecting`: nothing has been heard yet. `live`: changes come as they happen. `reconnecting`: the server is
 * away, and what is shown may be old. `ended`: the run is over. `refused`: the server does not tell; see `refusal`.
 */
export type Connection = 'idle' | 'connecting' | 'live' | 'reconnecting' | 'ended' | 'refused';

/** Why a run has no result. The message is there if the routes say `showErrors`. */
export interface RunFailure {
  readonly name: string;
  readonly code: string | undefined;
  readonly message: string | undefined;
}

/** A run as it stands. A new object for every change. */
export interface RunState<Types extends RunTypes = RunTypes> {
  readonly id: string | undefined;
  readonly connection: Connection;
  /** Undefined until the first word of the server. */
  readonly status: RunStatus | undefined;
  /** Whether it has succeeded, failed or been cancelled. */
  readonly isFinal: boolean;
  readonly events: EventsOf<Types>;
  readonly streams: StreamsOf<Types>;
  readonly result: ResultOf<Types> | undefined;
  readonly failure: RunFailure | undefined;
  readonly refusal: PerdureRequestError | undefined;
}

/** The state before anything is known. */
export function unknownRun(id: string | undefined): RunState {
  return {
    id,
    connection: id === undefined ? 'idle' : 'connecting',
    status: undefined,
    isFinal: false,
    events: {},
    streams: {},
    result: undefined,
    failure: undefined,
    refusal: undefined,
  };
}

/** The state after everything that came together. */
export function afterEvents(state: RunState, events: readonly ServerSentEvent[]): RunState {
  if (events.length === 0) return state;
  const streams = new Map<string, unknown[]>();
  let next = state;
  for (const { event, data } of events) {
    const told: unknown = readJson(data);
    if (!isRecord(told)) continue;
    if (event === 'status') next = afterStatus(next, told);
    if (event === 'event') next = { ...next, events: { ...next.events, [String(told['name'])]: told['value'] } };
    if (event === 'stream') noteChunk(streams, next, told);
  }
  if (streams.size === 0) return next;
  // Copied once for all chunks of a portion: a stream of ten thousand tokens is not copied ten thousand times.
  return { ...next, streams: { ...next.streams, ...Object.fromEntries(streams) } };
}

function noteChunk(streams: Map<string, unknown[]>, state: RunState, { name, value }: Record<string, unknown>): void {
  const key = String(name);
  const values = streams.get(key) ?? [...(state.streams[key] ?? [])];
  values.push(value);
  streams.set(key, values);
}

function afterStatus(state: RunState, { status, output, error }: Record<string, unknown>): RunState {
  if (!isStatus(status)) return state;
  return {
    ...state,
    status,
    isFinal: finals.has(status),
    result: status === 'succeeded' ? output : undefined,
    failure: isRecord(error) ? failureOf(error) : undefined,
  };
}

function failureOf({ name, code, message }: Record<string, unknown>): RunFailure {
  return {
    name: typeof name === 'string' ? name : 'Error',
    code: typeof code === 'string' ? code : undefined,
    message: typeof message === 'string' ? message : undefined,
  };
}

// As in the engine, which cannot be imported here.
const statuses = new Set<unknown>([
  'queued',
  'running',
  'waiting',
  'paused',
  'succeeded',
  'failed',
  'cancelled',
] satisfies RunStatus[]);
const finals = new Set<RunStatus>(['succeeded', 'failed', 'cancelled']);

function isStatus(value: unknown): value is RunStatus {
  return statuses.has(value);
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // nothing that this client knows
  }
}

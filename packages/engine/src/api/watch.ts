// Watching a run: its state, its events and its streams as one sequence that can be taken up again at any place of it.

import type { Executor } from '../run/executor.js';
import type { FeedReader } from '../run/feed-reader.js';
import { Hint } from '../run/hint.js';
import { persist } from '../run/persist.js';
import type { FeedAnswer, FeedItem } from '../store/feed.js';
import { PerdureError } from '../values/errors.js';
import { checkRunId, type RunId } from '../values/ids.js';
import { decode, decodeError } from '../values/serialize.js';
import { isFinal, type RunStatus } from '../values/status.js';
import { checkSignal, refuseUnknown, requireList } from '../values/unknown-options.js';
import { requireChannel, type Channel } from './channel.js';
import type { Event } from './event.js';
import type { Stream } from './stream.js';
import { formatPosition, parsePosition, startOfFeed, type FeedPosition } from './watch-position.js';

/** Something that a run has told. `position` stands right behind it: watch from there to go on without loss or repeat. */
export type RunChange =
  | {
      readonly kind: 'status';
      readonly position: string;
      readonly status: RunStatus;
      /** The result, once succeeded. */
      readonly output: unknown;
      /** What it threw, once failed or cancelled. */
      readonly error: unknown;
    }
  | { readonly kind: 'event'; readonly position: string; readonly name: string; readonly value: unknown }
  | {
      readonly kind: 'stream';
      readonly position: string;
      readonly name: string;
      /** Place of the value in its stream, from 0. */
      readonly index: number;
      readonly value: unknown;
    }
  | { readonly kind: 'close'; readonly position: string; /** The stream that was closed. */ readonly name: string };

/** Options of watching. */
export interface WatchOptions {
  /** The position of the last change that was seen. Default: from the beginning. */
  readonly from?: string | undefined;
  /** Which events to tell. Default: all. */
  readonly events?: readonly Event<unknown>[] | undefined;
  /** Which streams to tell. Default: all. */
  readonly streams?: readonly Stream<unknown>[] | undefined;
  /** Ends the watching without an error. */
  readonly signal?: AbortSignal | undefined;
}

const watchOptions: Readonly<Record<keyof WatchOptions, true>> = {
  from: true,
  events: true,
  streams: true,
  signal: true,
};

interface Watching {
  readonly id: RunId;
  readonly executor: Executor;
  readonly feeds: FeedReader;
  readonly isWanted: (item: FeedItem) => boolean;
  readonly signal: AbortSignal | undefined;
}

/** Watches a run until its end. Throws at once for an id or a position that cannot be. */
export function watchRun(
  { executor, feeds }: { readonly executor: Executor; readonly feeds: FeedReader },
  id: string,
  options: WatchOptions,
): AsyncGenerator<RunChange, void, undefined> {
  refuseUnknown(options, watchOptions, 'watchers');
  const { from, events, streams } = options;
  const signal = checkSignal(options.signal);
  const wanted = { event: namesOf('event', events), stream: namesOf('stream', streams) };
  const isWanted = ({ kind, name }: FeedItem): boolean => wanted[kind]?.has(name) ?? true;
  const watching = { id: checkRunId(id), executor, feeds, isWanted, signal };
  return changesFrom(from === undefined ? startOfFeed() : parsePosition(from), watching);
}

async function* changesFrom(position: FeedPosition, watching: Watching): AsyncGenerator<RunChange, void, undefined> {
  const { executor, signal } = watching;
  const hint = new Hint();
  const give = (): void => hint.give();
  const stops = [executor.interests.on(watching.id, give), executor.outcomes.on(watching.id, give, give)];
  signal?.addEventListener('abort', give, { once: true });
  try {
    for (;;) {
      const answer = await read(watching, position);
      if (answer === undefined) return;
      yield* changesOf(watching, answer, position);
      if (answer.hasMore) continue;
      if (answer.status !== undefined && isFinal(answer.status)) return;
      await hint.wait(undefined);
    }
  } finally {
    for (const stop of stops) stop();
    signal?.removeEventListener('abort', give);
  }
}

// A database that is away for a while ends nobody's watching. Undefined: the watcher has gone.
async function read({ id, executor, feeds, signal }: Watching, place: FeedPosition): Promise<FeedAnswer | undefined> {
  const hasGone = (): boolean => signal?.aborted === true;
  const persistence = executor.persistence(`watching run ${id}`);
  const isOver = (): boolean => persistence.isOver() || hasGone();
  const answer = await persist(() => feeds.read({ runId: id, place }), { ...persistence, isOver });
  if (hasGone()) return undefined;
  if (answer === undefined) throw new PerdureError('ENGINE_CLOSED', { operation: 'watch' });
  if (answer.status === undefined) throw new PerdureError('RUN_NOT_FOUND', { id });
  return answer;
}

function* changesOf(
  { id, isWanted }: Watching,
  { status, output, error, items, hasMore }: FeedAnswer,
  position: FeedPosition,
): Generator<RunChange, void, undefined> {
  for (const item of items) {
    position.pass(item);
    if (isWanted(item)) yield changeOf(item, formatPosition(position));
  }
  // An end is told last.
  if (status === undefined || status === position.status || (isFinal(status) && hasMore)) return;
  position.status = status;
  yield {
    kind: 'status',
    position: formatPosition(position),
    status,
    output: output === undefined ? undefined : decode(output, `the result of run ${id}`),
    error: error === undefined ? undefined : decodeError(error),
  };
}

function changeOf({ kind, name, number, value }: FeedItem, position: string): RunChange {
  if (value === undefined) return { kind: 'close', position, name };
  const decoded = decode(value, `a value of ${kind} "${name}"`);
  if (kind === 'event') return { kind, position, name, value: decoded };
  return { kind, position, name, index: number, value: decoded };
}

function namesOf(
  kind: 'event' | 'stream',
  channels: readonly Channel<string, unknown>[] | undefined,
): ReadonlySet<string> | undefined {
  if (channels === undefined) return undefined;
  requireList(channels, `${kind}s`);
  for (const channel of channels) requireChannel(kind, channel);
  return new Set(channels.map(({ name }) => name));
}

// Where a watcher of a run stands: the state that it knows, the last event, and how much of each stream. As text it travels to
// clients and back, as `running.12.345&tokens=17`.

import type { FeedItem, FeedPlace } from '../store/feed.js';
import { PerdureError } from '../values/errors.js';
import { findStatus, type RunStatus } from '../values/status.js';

/** A place in the feed of a run, which moves on. */
export class FeedPosition implements FeedPlace {
  status: RunStatus | undefined;
  event = { seq: 0, id: 0 };
  readonly streams = new Map<string, number>();

  /** Moves behind an item. */
  pass({ kind, name, seq, number }: FeedItem): void {
    if (kind === 'event') this.event = { seq: Math.max(seq, this.event.seq), id: number };
    else this.streams.set(name, number + 1);
  }
}

/** Before everything. */
export function startOfFeed(): FeedPosition {
  return new FeedPosition();
}

/** A position as text: printable ASCII without spaces. */
export function formatPosition({ status, event, streams }: FeedPosition): string {
  const places = [...streams].map(([stream, next]) => `&${encodeURIComponent(stream)}=${next}`);
  return `${status ?? 'none'}.${event.seq}.${event.id}${places.join('')}`;
}

/** Reads a position. Throws OPTION_INVALID. */
export function parsePosition(text: string): FeedPosition {
  const [head = '', ...places] = String(text).split('&');
  const [, status = '', seq = '', id = ''] = /^([a-z]+)\.(\d{1,9})\.(\d{1,15})$/.exec(head) ?? [];
  const position = new FeedPosition();
  position.status = findStatus(status);
  position.event = { seq: Number(seq), id: Number(id) };
  for (const place of places) {
    const [, stream = '', next = ''] = /^([^=]+)=(\d{1,9})$/.exec(place) ?? [];
    position.streams.set(decoded(stream), Number(next));
  }
  if (formatPosition(position) === text) return position;
  const reason = 'it is no position that watching has given';
  throw new PerdureError('OPTION_INVALID', { option: 'from', value: text, reason });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return ''; // then it does not come out as it went in
  }
}

// What runs tell the outside, read together: state, events and stream chunks of many runs behind the place of each reader.
// One statement, so that what it shows is of one moment: a run that is over has nothing that this does not show.

import type { RunId } from '../values/ids.js';
import { findStatus, type RunStatus } from '../values/status.js';
import { int4Array, int8Array, textArray } from './binary-arrays.js';
import { findText, readNumber, readText, statement, type Queryable, type Row } from './sql.js';

/** Where a reader stands. */
export interface FeedPlace {
  /** `seq` and id of the last event. */
  readonly event: { readonly seq: number; readonly id: number };
  /** How many chunks of each stream it has. */
  readonly streams: ReadonlyMap<string, number>;
}

/** Who wants to know what is new. */
export interface FeedQuery {
  readonly runId: RunId;
  readonly place: FeedPlace;
}

/** An event or a chunk. */
export interface FeedItem {
  readonly kind: 'event' | 'stream';
  readonly name: string;
  /** The step that published it, or the last one delivered before. */
  readonly seq: number;
  /** Of an event: its id. Of a chunk: its position in its stream. */
  readonly number: number;
  /** Missing for a chunk that closes its stream. */
  readonly value: string | undefined;
}

/** What is new of one run. */
export interface FeedAnswer {
  /** Undefined: there is no such run. */
  readonly status: RunStatus | undefined;
  readonly output: string | undefined;
  readonly error: string | undefined;
  /** In the order of the run's history. */
  readonly items: readonly FeedItem[];
  /** There is more behind these items. */
  readonly hasMore: boolean;
}

// runs: primary key. events: primary key, a range from the place on. Ids are in the order of commits; `seq` bounds the range, and can go
// back by one when a failed step is dropped to be tried again. names: one step through the
// primary key per stream that the run has, however many chunks it has. chunks: primary key, a range per stream.
// `|| ''`: see batch-statements.ts.
const selectFeed = statement(
  'select_feed',
  `with recursive reader as (
     select * from unnest($1::text[], $2::int4[], $3::int8[]) with ordinality w (run_id, seq, id, n)
   ), names as (
     select w.n, w.run_id, (select min(c.stream) from {schema}.stream_chunks c where c.run_id = w.run_id) as stream
     from reader w
     union all
     select s.n, s.run_id,
            (select min(c.stream) from {schema}.stream_chunks c where c.run_id = s.run_id and c.stream > s.stream)
     from names s
     where s.stream is not null
   )
   select w.n::int4 as n, 'run' as kind, r.status as name, 0 as seq, 0::float8 as number,
          case when r.finished_at is not null then r.output end as value,
          case when r.finished_at is not null then r.error end as error
   from reader w
   join {schema}.runs r on r.id = w.run_id
   where w.run_id || '' = w.run_id
   union all
   select w.n::int4, 'event', e.key, e.seq, e.id::float8, e.value, null
   from reader w
   cross join lateral (
     select h.key, h.seq, h.id, h.value
     from {schema}.event_history h
     where h.run_id = w.run_id and h.seq >= w.seq - 1 and h.id > w.id
     order by h.id
     limit $7::int4
   ) e
   union all
   select s.n::int4, 'stream', s.stream, c.seq, c.position::float8, c.value, null
   from names s
   left join unnest($4::int4[], $5::text[], $6::int4[]) k (n, stream, next) on k.n = s.n and k.stream = s.stream
   cross join lateral (
     select c.seq, c.position, c.value
     from {schema}.stream_chunks c
     where c.run_id = s.run_id and c.stream = s.stream and c.position >= coalesce(k.next, 0)
     order by c.position
     limit $7::int4
   ) c
   where s.stream is not null`,
);

/** What is new for each reader, in their order: at most `limit` events, and as many chunks of each stream. */
export async function readFeeds(
  db: Queryable,
  queries: readonly FeedQuery[],
  limit: number,
): Promise<readonly FeedAnswer[]> {
  const known = queries.flatMap(({ place }, index) =>
    [...place.streams].map(([stream, next]) => ({ reader: index + 1, stream, next })),
  );
  const rows = await db.query(selectFeed, [
    textArray(queries.map((q) => q.runId)),
    int4Array(queries.map((q) => q.place.event.seq)),
    int8Array(queries.map((q) => q.place.event.id)),
    int4Array(known.map((k) => k.reader)),
    textArray(known.map((k) => k.stream)),
    int4Array(known.map((k) => k.next)),
    limit,
  ]);
  const byReader = grouped(rows, (row) => readNumber(row, 'n'));
  return queries.map((_, index) => toAnswer(byReader.get(index + 1) ?? [], limit));
}

function toAnswer(rows: readonly Row[], limit: number): FeedAnswer {
  const run = rows.find((row) => row['kind'] === 'run');
  const items = inSequence(rows.filter((row) => row !== run).map(toItem));
  // Beyond the end of a portion, other sources may already show what comes later: that is left for the next one.
  const full = [...grouped(items, sourceOf).values()].filter((source) => source.length === limit);
  const horizon = Math.min(Infinity, ...full.map((source) => source.at(-1)?.seq ?? Infinity));
  return {
    status: run === undefined ? undefined : findStatus(readText(run, 'name')),
    output: run === undefined ? undefined : findText(run, 'value'),
    error: run === undefined ? undefined : findText(run, 'error'),
    items: items.filter(({ seq }) => seq <= horizon).sort(inHistory),
    hasMore: full.length > 0,
  };
}

function toItem(row: Row): FeedItem {
  return {
    kind: row['kind'] === 'event' ? 'event' : 'stream',
    name: readText(row, 'name'),
    seq: readNumber(row, 'seq'),
    number: readNumber(row, 'number'),
    value: findText(row, 'value'),
  };
}

// Sorting by `seq` must not change the order of a source, in which its place moves on.
function inSequence(items: readonly FeedItem[]): readonly FeedItem[] {
  const reached = new Map<string, number>();
  return items.map((item) => {
    const seq = Math.max(item.seq, reached.get(sourceOf(item)) ?? 0);
    reached.set(sourceOf(item), seq);
    return { ...item, seq };
  });
}

// A stable sort.
function inHistory(one: FeedItem, other: FeedItem): number {
  return one.seq - other.seq;
}

function sourceOf({ kind, name }: FeedItem): string {
  return kind === 'event' ? '' : name; // no name is empty
}

function grouped<T, Key>(values: readonly T[], keyOf: (value: T) => Key): ReadonlyMap<Key, readonly T[]> {
  const groups = new Map<Key, T[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group === undefined) groups.set(keyOf(value), [value]);
    else group.push(value);
  }
  return groups;
}

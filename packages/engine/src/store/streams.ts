// Streams: the logs that runs append to, as others read them. Appending is part of a batch, see batch.ts.

import type { RunId } from '../values/ids.js';
import { findText, readNumber, statement, type Queryable } from './sql.js';

// Index: primary key, a range scan.
const selectChunks = statement(
  'select_chunks',
  `select position, value
   from {schema}.stream_chunks
   where run_id = $1 and stream = $2 and position >= $3::int4
   order by position
   limit $4::int4`,
);

/** A chunk of a stream; without a value it closes the stream. */
export interface StoredChunk {
  readonly position: number;
  readonly value: string | undefined;
}

/** Chunks from a position on. */
export async function readChunks(
  db: Queryable,
  { runId, stream, from }: { readonly runId: RunId; readonly stream: string; readonly from: number },
  limit: number,
): Promise<readonly StoredChunk[]> {
  const rows = await db.query(selectChunks, [runId, stream, from, limit]);
  return rows.map((row) => ({ position: readNumber(row, 'position'), value: findText(row, 'value') }));
}

// Index: primary key, backwards.
const selectStreamEnd = statement(
  'stream_end',
  `select position, value
   from {schema}.stream_chunks
   where run_id = $1 and stream = $2
   order by position desc
   limit 1`,
);

/** The last chunk of a stream, or undefined for one that nobody has written to. */
export async function findStreamEnd(db: Queryable, runId: RunId, stream: string): Promise<StoredChunk | undefined> {
  const row = (await db.query(selectStreamEnd, [runId, stream]))[0];
  return row === undefined ? undefined : { position: readNumber(row, 'position'), value: findText(row, 'value') };
}

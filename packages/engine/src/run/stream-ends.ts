// Where the streams of a run end. Only the owner of a run appends to its streams, so the place of the next chunk is
// counted in memory; what earlier owners wrote is asked for once per stream.

import type { StoredChunk } from '../store/streams.js';

/** The end of a stream. */
export interface StreamEnd {
  next: number;
  isClosed: boolean;
}

/** The streams of one run. */
export class StreamEnds {
  readonly #find: (stream: string) => Promise<StoredChunk | undefined>;
  readonly #ends = new Map<string, Promise<StreamEnd>>();
  readonly #open = new Map<string, StreamEnd>();

  /** `find`: the last chunk in the database. */
  constructor(find: (stream: string) => Promise<StoredChunk | undefined>) {
    this.#find = find;
  }

  /** The end of a stream, known from then on. */
  open(stream: string): Promise<StreamEnd> {
    const end = this.#ends.get(stream) ?? this.#load(stream);
    this.#ends.set(stream, end);
    return end;
  }

  /** The place of the next chunk of a stream that is open. */
  take(stream: string): number {
    const end = this.#open.get(stream);
    if (end === undefined) throw new Error(`stream "${stream}" is not open`);
    end.next += 1;
    return end.next - 1;
  }

  async #load(stream: string): Promise<StreamEnd> {
    const last = await this.#find(stream);
    const end: StreamEnd = {
      next: (last?.position ?? -1) + 1,
      isClosed: last !== undefined && last.value === undefined,
    };
    this.#open.set(stream, end);
    return end;
  }
}

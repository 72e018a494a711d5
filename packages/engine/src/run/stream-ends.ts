// Where the streams of a run end. Only the owner of a run appends to its streams, so the place of the next chunk is
// counted in memory; what earlier owners wrote is asked for once per stream.

import type { RunId } from '../values/ids.js';
import type { RunHost } from './run-host.js';

/** The end of a stream. */
export interface StreamEnd {
  next: number;
  isClosed: boolean;
}

/** The part of a run that its streams need. */
interface StreamingRun {
  readonly id: RunId;
  readonly epoch: number;
  readonly host: RunHost;
}

/** The streams of one run. */
export class StreamEnds {
  readonly #run: StreamingRun;
  readonly #ends = new Map<string, Promise<StreamEnd>>();
  readonly #open = new Map<string, StreamEnd>();

  constructor(run: StreamingRun) {
    this.#run = run;
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
    const { id, epoch, host } = this.#run;
    // Before its first claim, nobody has written to its streams.
    const last = epoch === 1 ? undefined : await host.exchange.findStreamEnd(id, stream);
    const end: StreamEnd = {
      next: (last?.position ?? -1) + 1,
      isClosed: last !== undefined && last.value === undefined,
    };
    this.#open.set(stream, end);
    return end;
  }
}

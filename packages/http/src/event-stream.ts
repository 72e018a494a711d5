// Open streams of server-sent events: how they are written, kept open, and ended.

/** One event. */
export interface ServerSentEvent {
  readonly id: string;
  readonly event: string;
  /** One line. */
  readonly data: string;
}

/** How a stream is kept and ended. */
export interface StreamOptions {
  /** Fired when nobody reads any more, so that `events` ends. */
  readonly ending: AbortController;
  /** The client has gone. */
  readonly signal: AbortSignal;
  readonly keepAliveMs: number;
}

/** No proxy may keep, change, compress or collect what is sent. */
export const eventStreamHeaders = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
} as const;

const encoder = new TextEncoder();
const reconnect = 'retry: 1000\n\n';
// Beyond this a client is not reading, and further comments would only pile up.
const mostBytesWaiting = 64 * 1_024;

/** The streams of one handler. */
export class OpenStreams {
  readonly #ends = new Set<() => void>();
  #isClosed = false;

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** How many are open. */
  get size(): number {
    return this.#ends.size;
  }

  /** An answer that sends what `events` yields. */
  open(events: AsyncGenerator<ServerSentEvent, void, undefined>, options: StreamOptions): Response {
    const { ending, signal, keepAliveMs } = options;
    const texts = new EventTexts(events);
    let keepAlive: NodeJS.Timeout | undefined;
    const end = (): void => {
      clearInterval(keepAlive);
      ending.abort();
    };
    const forget = (): void => {
      this.#ends.delete(end);
      clearInterval(keepAlive);
      signal.removeEventListener('abort', end);
    };
    const stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          controller.enqueue(encoder.encode(reconnect));
          this.#ends.add(end);
          signal.addEventListener('abort', end, { once: true });
          keepAlive = setInterval(() => {
            if ((controller.desiredSize ?? 0) > -mostBytesWaiting) controller.enqueue(encoder.encode(':\n\n'));
          }, keepAliveMs);
          if (this.#isClosed || signal.aborted) end();
        },
        pull: async (controller) => {
          try {
            const text = await texts.take();
            if (text !== undefined) return controller.enqueue(encoder.encode(text));
            controller.close();
          } catch (error) {
            controller.error(error); // the connection is cut, and the client comes again
          }
          forget();
        },
        cancel: async () => {
          end();
          forget();
          await events.return();
        },
      },
      { highWaterMark: 16 * 1_024, size: (chunk) => chunk.byteLength },
    );
    return new Response(stream, { headers: eventStreamHeaders });
  }

  /** An answer that makes an EventSource connect again: one that is no 200 would make it give up. */
  goElsewhere(): Response {
    return new Response(reconnect, { headers: eventStreamHeaders });
  }

  /** Ends all of them, and whatever would be opened later. */
  close(): void {
    this.#isClosed = true;
    for (const end of this.#ends) end();
  }
}

// So many characters go at once, if there are so many to be sent.
const portion = 16 * 1_024;

/** Events as text, those together that come together. */
class EventTexts {
  readonly #events: AsyncGenerator<ServerSentEvent, void, undefined>;
  #next: Promise<IteratorResult<ServerSentEvent, void>> | undefined;

  constructor(events: AsyncGenerator<ServerSentEvent, void, undefined>) {
    this.#events = events;
  }

  /** What is to be sent next; undefined when there is nothing any more. */
  async take(): Promise<string | undefined> {
    let text = '';
    let next: IteratorResult<ServerSentEvent, void> | undefined = await this.#peek();
    while (next !== undefined && next.done !== true && text.length < portion) {
      this.#next = undefined;
      const { id, event, data } = next.value;
      text += `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`;
      next = await Promise.race([this.#peek(), nothingYet()]);
    }
    return text === '' ? undefined : text;
  }

  #peek(): Promise<IteratorResult<ServerSentEvent, void>> {
    this.#next ??= this.#events.next();
    return this.#next;
  }
}

function nothingYet(): Promise<undefined> {
  return new Promise((resolve) => setImmediate(() => resolve(undefined)));
}

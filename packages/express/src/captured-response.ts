// The response that a durable handler writes to. It keeps what it is given instead of sending it, so that the whole can be
// recorded, and sent as often as somebody asks for it.

import { isUtf8 } from 'node:buffer';
import { ServerResponse, STATUS_CODES } from 'node:http';
import type { Express, Request, Response } from 'express';

/** A response as a durable handler's run has it for its result. */
export interface RecordedResponse {
  readonly status: number;
  readonly statusMessage?: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** Text where the bytes are UTF-8, so that it can be read in the database. */
  readonly body: string | Uint8Array;
}

/** What hears of a captured response. */
export interface Recorder {
  /** It has been ended. */
  readonly record: (response: RecordedResponse) => void;
  /** Something in it cannot be recorded. */
  readonly refuse: (reason: string) => void;
}

/** Makes the response to a run's request. */
export type MakeResponse = (req: Request, recorder: Recorder) => Response;

// No engine records as much, and a handler that pipes without end would fill the memory of its process. Other limits are the engine's.
const mostBytes = 256 * 2 ** 20;
const tooLong = `its response has more than ${mostBytes} bytes; store it elsewhere, and redirect there`;

/** How responses of an application are made, with the methods that Express gives them. */
export function responseMaker(app: Express): MakeResponse {
  class CapturedResponse extends ServerResponse<Request> {
    readonly #recorder: Recorder;
    readonly #written = new WrittenBytes();
    readonly locals = {};

    constructor(req: Request, recorder: Recorder) {
      super(req);
      this.#recorder = recorder;
    }

    // Headers given here would not be among getHeaders() afterwards.
    override writeHead(status: number, ...rest: unknown[]): this {
      const [headers] = rest.slice(-1);
      if (typeof headers === 'object' && headers !== null) setHeaders(this, headers);
      if (String(this.getHeader('content-type')).startsWith('text/event-stream')) {
        this.#recorder.refuse(
          'it streams events, which could not be sent again; publish them by writeStream, and let clients read /runs/:id/events',
        );
      }
      return typeof rest[0] === 'string' ? super.writeHead(status, rest[0]) : super.writeHead(status);
    }

    override flushHeaders(): void {
      if (!this.headersSent) this.writeHead(this.statusCode);
    }

    override write(...args: unknown[]): boolean {
      this.flushHeaders();
      this.#take(args);
      return true;
    }

    override end(...args: unknown[]): this {
      if (this.finished) return this;
      this.flushHeaders();
      this.#take(args);
      this.finished = true;
      this.#recorder.record(recordOf(this, this.#written.whole()));
      process.nextTick(() => {
        this.emit('finish');
        this.emit('close');
      });
      return this;
    }

    #take(args: readonly unknown[]): void {
      const [chunk, encoding] = args;
      if (!this.#written.add(bytesOf(chunk, encoding))) this.#recorder.refuse(tooLong);
      const written = args.find((arg) => typeof arg === 'function');
      if (written !== undefined) process.nextTick(written);
    }
  }
  // Once per application: to change the prototype of each response costs more than the rest of it.
  Object.setPrototypeOf(CapturedResponse.prototype, app.response);
  return (req, recorder) => {
    const res = asResponse(new CapturedResponse(req, recorder));
    req.res = res;
    return res;
  };
}

function asResponse(message: ServerResponse<Request>): Response {
  return message as Response; // by its prototype
}

function setHeaders(res: ServerResponse, headers: object): void {
  const given = new Set<string>();
  for (const [name, value] of pairsOf(headers)) {
    if (given.has(name.toLowerCase())) res.appendHeader(name, value);
    else res.setHeader(name, value);
    given.add(name.toLowerCase());
  }
}

// As an object, as a list of pairs, or as a list of names and values by turns: node:http takes all of them.
function pairsOf(headers: object): readonly (readonly [string, string])[] {
  if (!Array.isArray(headers)) return Object.entries(headers);
  if (Array.isArray(headers[0])) return headers as [string, string][];
  return headers.flatMap((name, at) => (at % 2 === 0 ? [[String(name), headers[at + 1] as string] as const] : []));
}

/** What has been written to a response. */
class WrittenBytes {
  #chunks: Uint8Array[] = [];
  #length = 0;

  /** Whether there is room for it. */
  add(chunk: Uint8Array): boolean {
    this.#length += chunk.byteLength;
    const isRoom = this.#length <= mostBytes;
    if (isRoom) this.#chunks.push(chunk);
    else this.#chunks = [];
    return isRoom;
  }

  whole(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

function bytesOf(chunk: unknown, encoding: unknown): Uint8Array {
  if (typeof chunk === 'string') return Buffer.from(chunk, isEncoding(encoding) ? encoding : 'utf8');
  return chunk instanceof Uint8Array ? Buffer.from(chunk) : Buffer.alloc(0); // a copy: the caller may use it again
}

function isEncoding(value: unknown): value is BufferEncoding {
  return typeof value === 'string' && Buffer.isEncoding(value);
}

// These belong to a connection or to the moment of sending.
const notRecorded = new Set(['connection', 'date', 'keep-alive', 'transfer-encoding', 'upgrade']);

function recordOf(res: ServerResponse, body: Buffer): RecordedResponse {
  const headers: Record<string, string | readonly string[]> = {};
  for (const [name, value] of Object.entries(res.getHeaders())) {
    if (value !== undefined && !notRecorded.has(name)) headers[name] = Array.isArray(value) ? value : String(value);
  }
  const isUsual = res.statusMessage === STATUS_CODES[res.statusCode];
  return {
    status: res.statusCode,
    ...(!isUsual && { statusMessage: res.statusMessage }),
    headers,
    body: isUtf8(body) ? body.toString() : body,
  };
}

// The response that a durable handler writes to. It keeps what it is given instead of sending it, so that the whole can be
// recorded, and sent as often as somebody asks for it.

import { ServerResponse, STATUS_CODES, type OutgoingHttpHeader } from 'node:http';
import type { Express, Request, Response } from 'express';

/** A response as a durable handler's run has it for its result. */
export interface RecordedResponse {
  readonly status: number;
  readonly statusMessage?: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** Text where the bytes are UTF-8, so that it can be read in the database. */
  readonly body: string | Uint8Array;
}

/** What stands between a handler and its recorded response. */
export interface Capture {
  readonly res: Response;
  /** Settles when the handler has ended its response. */
  readonly recorded: Promise<RecordedResponse>;
}

// These belong to a connection or to the moment of sending.
const notRecorded = new Set(['connection', 'date', 'keep-alive', 'transfer-encoding', 'upgrade']);

/** A response of the application, with the methods that Express gives it. `refuse` hears of what cannot be recorded. */
export function captureResponse(app: Express, req: Request, refuse: (reason: string) => void): Capture {
  const message = new ServerResponse(req);
  const chunks: Buffer[] = [];
  const res = Object.setPrototypeOf(message, app.response) as Response;
  res.locals = {};
  res.req = req;
  req.res = res;
  const writeHead = res.writeHead.bind(res);

  const recorded = new Promise<RecordedResponse>((resolve) => {
    const begin = (): void => {
      if (!res.headersSent) res.writeHead(res.statusCode);
    };
    const take = (args: unknown[]): void => {
      const [chunk, encoding] = args;
      if (typeof chunk === 'string') chunks.push(Buffer.from(chunk, isEncoding(encoding) ? encoding : 'utf8'));
      else if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
      const written = args.find((arg) => typeof arg === 'function');
      if (written !== undefined) process.nextTick(written);
    };
    const methods = {
      // Headers given here would not be among getHeaders() afterwards.
      writeHead(status: number, ...rest: unknown[]) {
        const [headers] = rest.slice(-1);
        if (typeof headers === 'object' && headers !== null) setHeaders(res, headers);
        if (String(res.getHeader('content-type')).startsWith('text/event-stream')) {
          refuse(
            'it streams events, which could not be sent again; publish them by writeStream, and let clients read /runs/:id/events',
          );
        }
        return typeof rest[0] === 'string' ? writeHead(status, rest[0]) : writeHead(status);
      },
      flushHeaders: begin,
      write(...args: unknown[]) {
        begin();
        take(args);
        return true;
      },
      end(...args: unknown[]) {
        if (res.finished) return res;
        begin();
        take(args);
        res.finished = true;
        resolve(recordOf(res, Buffer.concat(chunks)));
        process.nextTick(() => {
          res.emit('finish');
          res.emit('close');
        });
        return res;
      },
    };
    Object.assign(res, methods);
  });
  return { res, recorded };
}

function setHeaders(res: Response, headers: object): void {
  const flat: unknown[] = Array.isArray(headers) ? headers.flat() : Object.entries(headers).flat();
  for (let at = 0; at + 1 < flat.length; at += 2) res.setHeader(String(flat[at]), flat[at + 1] as string);
}

function isEncoding(value: unknown): value is BufferEncoding {
  return typeof value === 'string' && Buffer.isEncoding(value);
}

function recordOf(res: Response, bytes: Buffer): RecordedResponse {
  const headers = Object.entries(res.getHeaders())
    .filter((entry): entry is [string, OutgoingHttpHeader] => entry[1] !== undefined && !notRecorded.has(entry[0]))
    .map(([header, value]) => [header, Array.isArray(value) ? value : String(value)] as const);
  return {
    status: res.statusCode,
    ...(res.statusMessage === STATUS_CODES[res.statusCode] ? {} : { statusMessage: res.statusMessage }),
    headers: Object.fromEntries(headers),
    body: textOf(bytes) ?? bytes,
  };
}

function textOf(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

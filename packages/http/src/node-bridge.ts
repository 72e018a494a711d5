// Between node:http and Request and Response: what Express, Nest and plain servers stand on.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpHandler } from './handler.js';
import type { RequestInfo } from './options.js';
import { problemResponse } from './problem.js';

/** Options of making a Request. */
export interface NodeRequestOptions {
  /** Fires when the client has gone. */
  readonly signal?: AbortSignal | undefined;
  /** Leaves the body out: somebody has read it already. */
  readonly isRead?: boolean | undefined;
  /** Path and query, in place of the message's. */
  readonly url?: string | undefined;
}

/** The Request of a message of node:http. Its body is read as it is asked for. */
export function requestFromNode(message: IncomingMessage, options: NodeRequestOptions = {}): Request {
  const { method = 'GET', headers } = message;
  const { signal, isRead = false, url = message.url ?? '/' } = options;
  const mayHaveBody = method !== 'GET' && method !== 'HEAD' && !isRead;
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  const init: RequestInit = {
    method: isForbidden(method) ? 'FORBIDDEN' : method,
    headers: headersOf(message),
    ...(signal === undefined ? {} : { signal }),
  };
  if (mayHaveBody && hasBody) Object.assign(init, { body: bodyOf(message), duplex: 'half' });
  return new Request(urlOf(url, headers.host), init);
}

/**
 * Sends a Response as the answer of node:http. Resolves when it is sent, or the client has gone; never rejects. Cookies and Vary that
 * earlier middleware has set stay; what somebody else has answered already is left alone.
 */
export async function sendToNode(response: Response, target: ServerResponse): Promise<void> {
  if (target.headersSent || target.destroyed) {
    await response.body?.cancel().catch(() => undefined); // a stream that nobody reads would go on as long as its run
    return;
  }
  target.statusCode = response.status;
  for (const [name, value] of response.headers) {
    if (name === 'set-cookie' || name === 'vary') target.appendHeader(name, value);
    else target.setHeader(name, value);
  }
  if (response.body === null) {
    target.end();
    return;
  }
  if (!isStream(response)) {
    const whole = await response.arrayBuffer().catch(() => undefined);
    if (whole === undefined) target.destroy();
    else target.end(Buffer.from(whole)); // in one piece, with its length
    return;
  }
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
  const stop = (): void => void reader.cancel().catch(() => undefined);
  target.once('close', stop);
  try {
    target.flushHeaders();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      if (!target.write(part.value)) await drained(target);
    }
    target.end();
  } catch {
    target.destroy(); // its beginning is sent: cutting the connection is the only way left to tell
  } finally {
    target.off('close', stop);
  }
}

/**
 * A listener for `http.createServer`. `info`: what is known of each request, as its principal.
 *
 * @example
 * createServer(nodeListener(handler)).listen(3000);
 */
export function nodeListener(
  handler: HttpHandler,
  info?: (message: IncomingMessage) => RequestInfo,
): (message: IncomingMessage, target: ServerResponse) => void {
  const answer = async (message: IncomingMessage, signal: AbortSignal): Promise<Response> =>
    handler(requestFromNode(message, { signal }), info?.(message));
  return (message, target) => {
    const gone = new AbortController();
    target.once('close', () => gone.abort());
    void answer(message, gone.signal)
      .catch(problemResponse)
      .then((response) => sendToNode(response, target));
  };
}

function headersOf({ headers }: IncomingMessage): Headers {
  const copy = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':')) continue; // HTTP/2
    for (const one of [value ?? []].flat()) copy.append(name, one);
  }
  return copy;
}

// No Request may have one of these, and no route of ours takes what stands in their place.
function isForbidden(method: string): boolean {
  return /^(CONNECT|TRACE|TRACK)$/i.test(method);
}

// Whatever a client writes into its request line or Host header must not make the server fail, and must name the path that guards before
// this one have seen. So a host that holds more than a host is ignored.
function urlOf(target: string, host = 'localhost'): string {
  const path = literally(pathOf(target));
  const isHost = /^[^\s/\\?#@]+$/.test(host) && URL.canParse(`http://${host}`);
  return new URL(`http://${isHost ? host : 'localhost'}${path}`).href;
}

// Proxies send the whole URL (RFC 9112, section 3.2.2), and OPTIONS may ask for `*`.
function pathOf(target: string): string {
  if (target.startsWith('/')) return target;
  return /^https?:\/\/[^/?#]*(\/.*)$/is.exec(target)?.[1] ?? '/';
}

// URL takes `/a/../b` and `/a\..\b` for `/b`. Express and others before us do not, so such a path would pass their guards.
function literally(target: string): string {
  const [path = '', ...query] = target.split(/(?=[?#])/);
  const segments = path.replaceAll('\\', '%5C').split('/');
  const kept = segments.map((segment) =>
    /^(\.|%2e){1,2}$/i.test(segment) ? segment.replaceAll(/\.|%2e/gi, '%252E') : segment,
  );
  return kept.join('/') + query.join('');
}

// Nothing is read before it is asked for: what is left whole, node:http drops by itself. When the rest of a body is not wanted, it is read
// and dropped here: ending the connection would lose the answer that says so.
function bodyOf(message: IncomingMessage): ReadableStream<Uint8Array> {
  const reading = { hasBegun: false, isOver: false };
  const listen = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    const end = (act: () => void): void => {
      if (!reading.isOver) act();
      reading.isOver = true;
    };
    message.on('data', (part: Uint8Array) => {
      if (reading.isOver) return;
      controller.enqueue(part);
      message.pause();
    });
    message.once('end', () => end(() => controller.close()));
    message.once('error', (error) => end(() => controller.error(error)));
    message.once('close', () => end(() => controller.error(new Error('the client has gone'))));
  };
  return new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        if (!reading.hasBegun) listen(controller);
        reading.hasBegun = true;
        message.resume();
      },
      cancel: () => {
        reading.isOver = true;
        message.resume();
      },
    },
    { highWaterMark: 0 },
  );
}

function isStream({ headers }: Response): boolean {
  return headers.get('content-type')?.startsWith('text/event-stream') === true;
}

async function drained(target: ServerResponse): Promise<void> {
  if (target.destroyed) return;
  await new Promise<void>((resolve) => {
    const go = (): void => {
      target.off('drain', go).off('close', go);
      resolve();
    };
    target.once('drain', go).once('close', go);
  });
}

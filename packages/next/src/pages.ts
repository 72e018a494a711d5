// The protocol of @perdure/http as an API route of the Pages Router: Node's request and response, turned into the fetch API's and back.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Perdure } from './define.js';
import { mountPath, protocolOf, type RouteOptions } from './routes.js';

/** A request as Next gives it to an API route. */
export type ApiRequest = IncomingMessage & {
  readonly query: Partial<Record<string, string | string[]>>;
  /** What Next's body parser made of the body, if it is on. */
  readonly body?: unknown;
};

/**
 * The protocol, for one catch-all API route. Switch Next's body parser off, as below, so that signatures of webhooks can be
 * verified; with it on, JSON bodies work all the same.
 *
 * @example
 * // pages/api/perdure/[...path].ts
 * export const config = { api: { bodyParser: false } };
 * export default perdureApiRoute(perdure, { expose: [checkout] });
 */
export function perdureApiRoute(
  perdure: Perdure,
  options: RouteOptions,
): (request: ApiRequest, response: ServerResponse) => Promise<void> {
  const serve = protocolOf(perdure, options);
  return async (request, response) => {
    const url = urlOf(request);
    const basePath = options.basePath ?? mountPath(url.pathname, request.query);
    await sendResponse(await serve(toWebRequest(request, response, url), basePath), response);
  };
}

function urlOf({ headers, url = '/' }: IncomingMessage): URL {
  const forwarded = String(headers['x-forwarded-proto'] ?? 'http').split(',', 1)[0];
  const origin = `${forwarded === 'https' ? 'https' : 'http'}://${headers.host ?? 'localhost'}`;
  // Not resolved against the origin: a path that begins with two slashes would name another host.
  return new URL((URL.canParse(origin) ? origin : 'http://localhost') + url);
}

function toWebRequest(request: ApiRequest, response: ServerResponse, url: URL): Request {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableEnded) gone.abort();
  });
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    for (const each of [value ?? []].flat()) headers.append(name, each);
  }
  const { method = 'GET' } = request;
  const body = method === 'GET' || method === 'HEAD' ? {} : bodyOf(request);
  return new Request(url, { method, headers, signal: gone.signal, ...body });
}

// What Next's parser has consumed is written out again.
function bodyOf(request: ApiRequest): RequestInit {
  const { body } = request;
  if (body !== undefined) return { body: typeof body === 'string' ? body : JSON.stringify(body) };
  return { body: Readable.toWeb(request) as ReadableStream<Uint8Array>, duplex: 'half' };
}

async function sendResponse({ status, headers, body }: Response, response: ServerResponse): Promise<void> {
  response.statusCode = status;
  for (const [name, value] of headers) if (name !== 'set-cookie') response.setHeader(name, value);
  const cookies = headers.getSetCookie();
  if (cookies.length > 0) response.setHeader('set-cookie', cookies);
  if (body === null) {
    response.end();
    return;
  }
  response.flushHeaders(); // a stream of events may be silent for long
  await pipeline(Readable.fromWeb(body), response).catch(() => undefined); // its receiver may go
}

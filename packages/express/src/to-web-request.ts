// The way in: a request as Node and Express have it becomes a Request of the fetch API, which @perdure/http works on.

import { Readable } from 'node:stream';
import type { RequestInfo } from '@perdure/http';
import type { Request as ExpressRequest, Response as ExpressResponse } from 'express';

/** What `keepRawBody` leaves on a request. */
const rawBodyKey: unique symbol = Symbol.for('perdure/express/raw-body/v1');

/**
 * Keeps the bytes of a body that is parsed, to verify the signature of a webhook: `express.json({ verify: keepRawBody })`.
 * In a guard, `rawBodyOf(req)` has them.
 */
export function keepRawBody(req: object, _res: unknown, bytes: Uint8Array): void {
  Object.defineProperty(req, rawBodyKey, { value: bytes });
}

/** The bytes of the body as they came, if `keepRawBody` has kept them or the body was parsed by `express.raw()`. */
export function rawBodyOf(req: object): Uint8Array | undefined {
  const kept: unknown = Reflect.get(req, rawBodyKey);
  if (kept instanceof Uint8Array) return kept;
  const body: unknown = Reflect.get(req, 'body');
  return body instanceof Uint8Array ? body : undefined;
}

/** The same request, without its body where nobody will ask for that. Its signal fires when the client goes before it has its answer. */
export function toWebRequest(
  req: ExpressRequest,
  res: ExpressResponse,
  { hasBody = req.method !== 'GET' && req.method !== 'HEAD' } = {},
): Request {
  const control = new AbortController();
  res.once('close', () => {
    if (!res.writableEnded) control.abort();
  });
  return new Request(urlOf(req), {
    method: req.method,
    headers: headersOf(req),
    signal: control.signal,
    ...(hasBody && bodyOf(req)),
  });
}

/** What the protocol is told of a request whose body somebody has read before. */
export function toRequestInfo(req: ExpressRequest): RequestInfo {
  const rawBody = rawBodyOf(req);
  const isParsed = req.readableEnded && req.body !== undefined && !(req.body instanceof Uint8Array);
  return { ...(rawBody !== undefined && { rawBody }), ...(isParsed && { parsedBody: { value: req.body as unknown } }) };
}

function urlOf(req: ExpressRequest): URL {
  const origin = `${req.protocol}://${hostOf(req)}`;
  // Not resolved against the origin: a path that begins with two slashes would name another host.
  return new URL(URL.canParse(origin) ? origin + req.originalUrl : `http://localhost${req.originalUrl}`);
}

// Express tells whether a proxy is trusted only by what `hostname` is; that one has no port.
function hostOf(req: ExpressRequest): string {
  const own = req.get('host') ?? 'localhost';
  if (own.replace(/:\d+$/, '') === req.hostname) return own;
  return req.get('x-forwarded-host')?.split(',', 1)[0]?.trim() ?? own;
}

function headersOf(req: ExpressRequest): Headers {
  const headers = new Headers();
  for (let at = 0; at + 1 < req.rawHeaders.length; at += 2) {
    headers.append(req.rawHeaders[at] ?? '', req.rawHeaders[at + 1] ?? '');
  }
  return headers;
}

// A body that a parser has consumed is written out again.
function bodyOf(req: ExpressRequest): RequestInit | undefined {
  const raw = rawBodyOf(req);
  if (raw !== undefined) return { body: Buffer.from(raw) };
  const body: unknown = req.body;
  if (req.readableEnded)
    return body === undefined ? undefined : { body: typeof body === 'string' ? body : JSON.stringify(body) };
  return { body: Readable.toWeb(req) as ReadableStream<Uint8Array>, duplex: 'half' };
}

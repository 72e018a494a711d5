// The way in: a request as Express has it becomes what @perdure/http works on, a Request of the fetch API or what counts for a start.

import { requestFromNode, type RequestInfo, type StartingRequest } from '@perdure/http';
import type { Request as ExpressRequest, Response as ExpressResponse } from 'express';

/** What `keepRawBody` leaves on a request. */
const rawBodyKey: unique symbol = Symbol.for('perdure/express/raw-body/v1');

/**
 * Keeps the bytes of a body that is parsed, to verify the signature of a webhook: `express.json({ verify: keepRawBody })`. `rawBodyOf`
 * has them in routes, and `authorize` gets them.
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

/** The same request, from the root of the server. Its signal fires when the client goes before it has its answer. */
export function toWebRequest(req: ExpressRequest, res: ExpressResponse): Request {
  return requestFromNode(req, { signal: goneSignal(res), isRead: req.readableEnded, url: req.originalUrl });
}

/** What of a request counts for the start of a run. */
export function toStartingRequest(req: ExpressRequest, res: ExpressResponse): StartingRequest {
  return {
    method: req.method,
    path: req.baseUrl + req.path,
    target: req.originalUrl,
    headers: req,
    get signal() {
      return goneSignal(res); // few clients wait
    },
  };
}

// Fires when the client goes before it has its answer.
function goneSignal(res: ExpressResponse): AbortSignal {
  const gone = new AbortController();
  const end = (): void => {
    if (!res.writableFinished) gone.abort();
  };
  if (res.destroyed) end();
  else res.once('close', end);
  return gone.signal;
}

/** What the protocol is told of a request whose body a parser has read before. */
export function toRequestInfo(req: ExpressRequest): RequestInfo {
  const rawBody = rawBodyOf(req);
  const isParsed = req.readableEnded && req.body !== undefined && !(req.body instanceof Uint8Array);
  return { ...(rawBody !== undefined && { rawBody }), ...(isParsed && { parsedBody: { value: req.body as unknown } }) };
}

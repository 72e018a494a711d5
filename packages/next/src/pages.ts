// The protocol of @perdure/http as an API route of the Pages Router.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { stringify } from 'node:querystring';
import { requestFromNode, sendToNode, type RequestInfo } from '@perdure/http';
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
  return async (message, response) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const request = requestFromNode(message, { signal: gone.signal, isRead: message.body !== undefined });
    const basePath = options.basePath ?? mountPath(new URL(request.url).pathname, message.query);
    await sendToNode(await serve(request, { basePath, ...bodyOf(message) }), response);
  };
}

// Next's parser makes something of every body: '' or {} of none, an object of a form, and text of what it does not know, as
// application/vnd.shop+json. Of that we take what is JSON to Next; the rest, the protocol is to judge by itself.
function bodyOf({ headers, body }: ApiRequest): Pick<RequestInfo, 'parsedBody' | 'rawBody'> {
  if (body === undefined) return {};
  const isSent = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (!isSent) return { rawBody: new Uint8Array() };
  if (/^\s*application\/(ld\+)?json\s*(;|$)/i.test(headers['content-type'] ?? ''))
    return { parsedBody: { value: body } };
  return { rawBody: Buffer.from(typeof body === 'string' ? body : stringify({ ...body })) };
}

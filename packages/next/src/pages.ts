// The protocol of @perdure/http as an API route of the Pages Router.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { requestFromNode, sendToNode } from '@perdure/http';
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
    const isRead = message.body !== undefined;
    const request = requestFromNode(message, { signal: gone.signal, isRead });
    const basePath = options.basePath ?? mountPath(new URL(request.url).pathname, message.query);
    const parsedBody = isRead ? { value: message.body } : undefined;
    await sendToNode(await serve(request, { basePath, parsedBody }), response);
  };
}

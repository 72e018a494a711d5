// The handler: one function from Request to Response. It finds the route, calls its handler, and makes answers of errors.

import { isPerdureError, PerdureError } from 'perdure';
import { OwnAnswer } from './authorize.js';
import { notFound, type Call } from './call.js';
import { OpenStreams } from './event-stream.js';
import type { EngineSource, HttpOptions, RequestInfo } from './options.js';
import { isWorthLogging, problemResponse } from './problem.js';
import { readOptions, type Settings } from './read-options.js';
import { matchRoute } from './routes.js';

/** The protocol, ready to be mounted. It never rejects. */
export interface HttpHandler {
  (request: Request, info?: RequestInfo): Promise<Response>;
  /** Ends open streams of events, and what would be opened later; everything else is answered as before. Safe to repeat. */
  close(): Promise<void>;
}

/**
 * The HTTP protocol of an engine. `engine` may be a function, for frameworks that boot late; it is called for every request.
 * Throws OPTION_INVALID, DURATION_INVALID.
 *
 * @example
 * const handler = createHttpHandler(engine, { basePath: '/perdure', expose: [checkout] });
 * const response = await handler(new Request('http://localhost/perdure/start/checkout', { method: 'POST', body: '{}' }));
 */
export function createHttpHandler(engine: EngineSource, options: HttpOptions): HttpHandler {
  const settings = readOptions(engine, options);
  warnOfClosedDoors(settings);
  const streams = new OpenStreams();
  const handle = async (request: Request, info: RequestInfo = {}): Promise<Response> => {
    const response = await answer(settings, streams, { request, info }).catch((error: unknown) =>
      refuse(error, { settings, streams, request }),
    );
    return request.method === 'HEAD' ? new Response(null, response) : response;
  };
  const close = async (): Promise<void> => streams.close();
  return Object.assign(handle, { close });
}

// Nobody may send or cancel without one of them. In an answer this would be told to strangers; here, to whoever forgot it.
function warnOfClosedDoors({ authorize, secrets, exposures, logger }: Settings): void {
  if (authorize !== undefined || secrets.length > 0) return;
  const closed = [...exposures].filter(([, { topics = [], cancel = false }]) => cancel || topics.length > 0);
  if (closed.length === 0) return;
  const workflows = closed.map(([name]) => name);
  logger.warn(
    { workflows },
    'topics or cancel are exposed, but every such request is refused: there is neither `authorize` nor `tokens`',
  );
}

interface Received {
  readonly request: Request;
  readonly info: RequestInfo;
}

async function answer(settings: Settings, streams: OpenStreams, { request, info }: Received): Promise<Response> {
  const url = new URL(request.url);
  const basePath = info.basePath ?? settings.basePath;
  const isBelow = url.pathname.startsWith(`${basePath}/`);
  const match = isBelow ? matchRoute(url.pathname.slice(basePath.length)) : undefined;
  if (match === undefined) throw notFound({ request, url });
  const { route, params } = match;
  const allowed = [...route.methods.keys(), 'OPTIONS'];
  if (request.method === 'OPTIONS') return new Response(null, { status: 204, headers: { allow: allowed.join(', ') } });
  const handler = route.methods.get(request.method);
  if (handler === undefined) {
    throw new PerdureError('METHOD_NOT_ALLOWED', { method: request.method, path: url.pathname, allowed });
  }
  const call: Call = { settings, engine: await settings.engine(), streams, request, info, url, basePath, params };
  return handler(call);
}

function refuse(
  error: unknown,
  { settings, streams, request }: { settings: Settings; streams: OpenStreams; request: Request },
): Response {
  if (error instanceof OwnAnswer) return error.response;
  // An EventSource gives up after any error. What will pass is not worth that.
  const mayPass = isPerdureError(error) && error.httpStatus === 503;
  if (mayPass && request.headers.has('last-event-id')) return streams.goElsewhere();
  if (isWorthLogging(error)) {
    const isServers = !isPerdureError(error) || (error.httpStatus >= 500 && !mayPass);
    const fields = { err: error, method: request.method, path: new URL(request.url).pathname };
    settings.logger[isServers ? 'error' : 'warn'](fields, 'a request could not be answered');
  }
  return problemResponse(error);
}

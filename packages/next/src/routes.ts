// The protocol of @perdure/http as a route handler of the App Router.

import { createHttpHandler, type HttpHandler, type HttpOptions, type RequestInfo } from '@perdure/http';
import { parseDuration, PerdureError, type Duration } from 'perdure';
import { ControlFlowRelay } from './control-flow-relay.js';
import type { Perdure } from './define.js';

/** Options of the routes: those of the protocol, and what Next adds. */
export interface RouteOptions extends HttpOptions {
  /**
   * Next's `after`: what a request has started or woken is driven for `afterBudget` once it is answered. For an engine that is
   * `driven`, for which nothing else would do it before the next tick.
   */
  readonly after?: ((work: () => Promise<void>) => void) | undefined;
  /** Default: 10s. */
  readonly afterBudget?: Duration | undefined;
}

/** What Next gives to a route handler besides the request. */
export interface RouteContext {
  readonly params: Promise<Readonly<Record<string, string | string[] | undefined>>>;
}

/** A handler of one method. */
export type RouteHandler = (request: Request, context: RouteContext) => Promise<Response>;

const methods = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'] as const;

/**
 * What a route file exports. GET and POST are all that the protocol takes; the others answer with what it does take, where Next by itself
 * would not tell.
 */
export type RouteHandlers = Readonly<Record<(typeof methods)[number], RouteHandler>>;

/**
 * The protocol, for one catch-all route. `redirect()`, `notFound()` and their like may be called in `authorize`. Without `basePath`, the
 * protocol stands where the catch-all segment begins. Throws OPTION_INVALID, DURATION_INVALID.
 *
 * @example
 * // app/api/perdure/[...path]/route.ts
 * export const { GET, POST } = perdureRoutes(perdure, { expose: [checkout], authorize: ({ request }) => isSignedIn(request) });
 */
export function perdureRoutes(perdure: Perdure, options: RouteOptions): RouteHandlers {
  const serve = protocolOf(perdure, options);
  const handle: RouteHandler = async (request, { params }) =>
    serve(request, { basePath: options.basePath ?? mountPath(new URL(request.url).pathname, await params) });
  return Object.fromEntries(methods.map((method) => [method, handle])) as RouteHandlers;
}

/** The protocol, made at the first request: at build time, secrets need not be there. */
export function protocolOf(
  perdure: Perdure,
  options: RouteOptions,
): (request: Request, info: RequestInfo) => Promise<Response> {
  checkRoutes(perdure, options);
  const relay = new ControlFlowRelay();
  const { authorize, after, afterBudget = '10s', ...httpOptions } = options;
  let handler: HttpHandler | undefined;
  const made = (): HttpHandler => {
    const watched = authorize === undefined ? undefined : relay.watched(authorize);
    const { logger } = perdure.kept.options;
    const fresh = createHttpHandler(() => perdure.engine(), { logger, ...httpOptions, authorize: watched });
    perdure.kept.handlers.add(fresh);
    return fresh;
  };
  return async (request, info) => {
    const { handlers, boot } = perdure.kept;
    const isDraining = boot?.ending.signal.aborted === true;
    // A closed handler opens no streams any more. That is right while the process ends, and wrong once the engine is booted again.
    if (handler === undefined || (!handlers.has(handler) && !isDraining)) handler = made();
    const serving = handler;
    if (isDraining) {
      await serving.close(); // also one that was made this late
      handlers.delete(serving);
    }
    const response = await relay.relay(() => serving(request, info));
    if (request.method === 'POST' && response.ok) after?.(() => perdure.drive({ budget: afterBudget }));
    return response;
  };
}

// The rest is checked at the first request, when secrets have to be there.
function checkRoutes(perdure: Perdure, options: RouteOptions): void {
  const given: Partial<Perdure> | undefined = perdure;
  if (given?.kept === undefined) throw invalid('perdure', perdure, 'give what definePerdure() returns');
  if (typeof options !== 'object' || options === null) throw invalid('options', options, 'give at least { expose }');
  const { after, afterBudget = 0 } = options;
  if (after !== undefined && typeof after !== 'function') throw invalid('after', after, "give Next's `after`");
  parseDuration(afterBudget, 'afterBudget');
}

function invalid(option: string, value: unknown, reason: string): PerdureError {
  return new PerdureError('OPTION_INVALID', { option, value, reason });
}

/** Where the segments begin that a catch-all route has matched. */
export function mountPath(pathname: string, params: Readonly<Record<string, string | string[] | undefined>>): string {
  const caught = Object.values(params).find((value) => Array.isArray(value)) ?? [];
  const segments = pathname.replace(/\/+$/, '').split('/');
  return segments.slice(0, segments.length - caught.length).join('/');
}

// One request on its way through the protocol.

import type { Engine, RunInfo } from 'perdure';
import { PerdureError } from 'perdure';
import type { OpenStreams } from './event-stream.js';
import type { ExposedWorkflow } from './exposure.js';
import type { RequestInfo } from './options.js';
import type { Settings } from './read-options.js';

/** What every handler gets. */
export interface Call {
  readonly settings: Settings;
  readonly engine: Engine;
  readonly streams: OpenStreams;
  readonly request: Request;
  readonly info: RequestInfo;
  readonly url: URL;
  /** Where the protocol is mounted. */
  readonly basePath: string;
  /** What stands in the place of `:workflow`, `:id` and `:topic` in the path. */
  readonly params: Readonly<Record<string, string>>;
}

/** A route's answer to one method. */
export type RouteHandler = (call: Call) => Promise<Response>;

/** A run that the sender of the request may know of. */
export interface VisibleRun {
  readonly run: RunInfo;
  readonly exposed: ExposedWorkflow;
}

/** A part of the path. */
export function paramOf({ params }: Call, name: string): string {
  return params[name] ?? '';
}

/** What to throw for a path under which nothing is reachable. */
export function notFound({ request, url }: Pick<Call, 'request' | 'url'>): PerdureError {
  return new PerdureError('ROUTE_NOT_FOUND', { method: request.method, path: url.pathname });
}

/** A JSON answer that no cache may keep. */
export function jsonResponse(
  text: string,
  init: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } = {},
): Response {
  const headers = new Headers(init.headers);
  headers.set('content-type', 'application/json');
  headers.set('cache-control', 'no-store');
  return new Response(text, { status: init.status ?? 200, headers });
}

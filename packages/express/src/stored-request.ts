// What of a live request is recorded, so that its handler can run again in another process. An allow-list: nothing that
// authenticates anybody is ever recorded.

import type { IncomingHttpHeaders } from 'node:http';
import type { Request } from 'express';
import { PerdureError } from 'perdure';
import { refuseUnreadBody } from './unread-body.js';

/** A request as a durable handler's run has it for its input. */
export interface StoredRequest {
  readonly method: string;
  /** From the mount path of the router on. */
  readonly url: string;
  readonly originalUrl: string;
  readonly baseUrl: string;
  readonly protocol: string;
  readonly host: string | undefined;
  /** As a proxy that the application trusts has it, without the port. */
  readonly hostname: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly params: Request['params'];
  readonly query: unknown;
  readonly body: unknown;
  /** Properties that `persist` has chosen. */
  readonly properties: Readonly<Record<string, unknown>>;
}

const defaultHeaders = [
  'accept',
  'accept-language',
  'content-type',
  'host',
  'idempotency-key',
  'if-match',
  'prefer',
  'traceparent',
  'tracestate',
  'user-agent',
  'x-request-id',
];

const neverStored = new Set(['authorization', 'cookie', 'proxy-authorization', 'set-cookie']);

/** The headers to record: those that are harmless, and those that the application names. Throws OPTION_INVALID. */
export function headersToStore(named: readonly string[] = []): readonly string[] {
  const given: unknown = named;
  if (!Array.isArray(given) || !given.every((name) => typeof name === 'string'))
    throw new PerdureError('OPTION_INVALID', { option: 'headers', value: given, reason: 'give a list of names' });
  const names = named.map((name) => name.toLowerCase());
  const secret = names.find((name) => neverStored.has(name));
  if (secret === undefined) return [...new Set([...defaultHeaders, ...names])];
  const reason =
    'it authenticates, and what is recorded can be read in the database; record what it stands for by persist';
  throw new PerdureError('OPTION_INVALID', { option: 'headers', value: secret, reason });
}

/** Records a request. Throws HANDLER_UNSUPPORTED and BODY_TYPE_UNSUPPORTED for a body that cannot be recorded. */
export function storeRequest(
  handler: string,
  req: Request,
  { headers, persisted }: { readonly headers: readonly string[]; readonly persisted: object | undefined },
): StoredRequest {
  refuseUnreadBody(req, handler);
  if (persisted === undefined) {
    const reason =
      'the request brings files, which are gone when it runs again; store them before, and pass on by persist where';
    if (hasFiles(req)) throw new PerdureError('HANDLER_UNSUPPORTED', { handler, reason });
  }
  return {
    method: req.method,
    url: req.url,
    originalUrl: req.originalUrl,
    baseUrl: req.baseUrl,
    protocol: req.protocol,
    host: req.get('host'),
    hostname: req.hostname,
    headers: chosenHeaders(req, headers),
    params: { ...req.params },
    query: req.query,
    body: req.body as unknown,
    properties: { ...persisted },
  };
}

function chosenHeaders({ headers }: Request, names: readonly string[]): IncomingHttpHeaders {
  const chosen: IncomingHttpHeaders = {};
  for (const name of names) {
    const value = headers[name];
    if (value !== undefined) chosen[name] = value;
  }
  return chosen;
}

function hasFiles(req: Request): boolean {
  return ('file' in req && req.file !== undefined) || ('files' in req && req.files !== undefined);
}

// The errors of requests: what an HTTP adapter refuses before, or instead of, calling the engine.
// One part of the error table; error-table.ts joins them.

import { listed, row, shown } from './error-row.js';

export const requestErrors = {
  ROUTE_NOT_FOUND: row<{ method: string; path: string }>({
    httpStatus: 404,
    isRetryable: false,
    what: 'Nothing is reachable under this path: it is no route of the protocol, or names a workflow, topic or run that is not exposed.',
    remedy: 'Check the path, and name under `expose` what is to be reachable.',
    message: ({ method, path }) => `there is nothing to ${method} at ${shown(path)}`,
  }),
  METHOD_NOT_ALLOWED: row<{ method: string; path: string; allowed: readonly string[] }>({
    httpStatus: 405,
    isRetryable: false,
    what: 'The path is a route of the protocol, and does not take this method.',
    remedy: 'Use one of the methods in the Allow header.',
    message: ({ method, path, allowed }) => `${shown(path)} takes ${allowed.join(', ')}, not ${method}`,
  }),
  BODY_NOT_JSON: row<{ reason: string }>({
    httpStatus: 400,
    isRetryable: false,
    what: 'The body of the request is not the JSON that its Content-Type promises, so nothing was done.',
    remedy: 'Send one JSON value, in UTF-8.',
    message: ({ reason }) => `the body of the request is no JSON: ${reason}`,
  }),
  BODY_TOO_LARGE: row<{ limit: number }>({
    httpStatus: 413,
    isRetryable: false,
    what: 'The body of the request is larger than `bodyLimit` allows, so nothing was done. What came beyond the limit was dropped.',
    remedy: 'Send less, for instance a reference to a stored file, or raise `bodyLimit`.',
    message: ({ limit }) => `the body of the request has more than ${limit} bytes`,
  }),
  BODY_TYPE_UNSUPPORTED: row<{ contentType: string }>({
    httpStatus: 415,
    isRetryable: false,
    what: 'The body of the request is of another type than JSON, or is compressed, so it was not read.',
    remedy: 'Send JSON with `Content-Type: application/json` and without Content-Encoding.',
    message: ({ contentType }) => `a body of type ${shown(contentType)} cannot be read here`,
  }),
  HEADER_INVALID: row<{ header: string; value: string; reason: string }>({
    httpStatus: 400,
    isRetryable: false,
    what: 'A header of the request cannot be used, so nothing was done.',
    remedy: 'Correct the header, or leave it out.',
    message: ({ header, value, reason }) => `the header ${header}: ${shown(value)} cannot be used: ${reason}`,
  }),
  IDEMPOTENCY_KEY_MISSING: row<{ path: string }>({
    httpStatus: 400,
    isRetryable: false,
    what: 'The route requires an Idempotency-Key, so that a retried request cannot start a second run. Nothing was done.',
    remedy: 'Send `Idempotency-Key: "<a new UUID>"`, and the same one with every retry of this request.',
    message: ({ path }) => `a request to ${shown(path)} needs the header Idempotency-Key`,
  }),
  IDEMPOTENCY_KEY_REUSED: row<{ id: string; workflow?: string }>({
    httpStatus: 422,
    isRetryable: false,
    what: 'The idempotency key belongs to an earlier, different request, so neither its result nor doing something new would be right.',
    remedy: 'Send each new request with a new key, and repeat a request unchanged.',
    message: ({ id, workflow }) =>
      `the idempotency key was used with a different request, which ` +
      (workflow === undefined ? `sent a message to run "${id}"` : `started run "${id}" of workflow "${workflow}"`),
  }),
  REQUEST_UNAUTHENTICATED: row<{ action: string }>({
    httpStatus: 401,
    isRetryable: false,
    what: 'The request does not say who sends it, or not convincingly: credentials or a signed token are missing, forged or expired.',
    remedy: 'Send valid credentials, or ask for a new link.',
    message: ({ action }) => `the request to ${action} carries no valid credentials`,
  }),
  REQUEST_FORBIDDEN: row<{ action: string }>({
    httpStatus: 403,
    isRetryable: false,
    what: 'The sender of the request may not do this. Whether the run exists is not told.',
    remedy: 'Use an account that may, or have `authorize` allow it.',
    message: ({ action }) => `the sender of the request may not ${action} here`,
  }),
  REQUEST_CROSS_SITE: row<{ origin: string; allowed: readonly string[] }>({
    httpStatus: 403,
    isRetryable: false,
    what: "A browser sent the request from a page of another site, which would act with the user's cookies. Nothing was done.",
    remedy: 'Send it from a page of the same origin, or list the origin of that page under `origins`.',
    message: ({ origin, allowed }) =>
      `a page of ${shown(origin)} may not change anything here; other origins allowed: ${listed(allowed)}`,
  }),
};

// From a Request to the Response of a start. Used by the route of the protocol, and by adapters for routes of the application.

import type { Engine } from 'perdure';
import { answerStart, type RequestStart } from './answer-start.js';

/**
 * Starts a run as a request asks for it, and answers: 202 with Location and Retry-After, or, with `Prefer: wait=<seconds>`, 200 with the
 * outcome if it comes in time. A repeated Idempotency-Key gets the run of the first request, and `Idempotency-Replayed: true`.
 * Throws IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_KEY_MISSING, HEADER_INVALID and what `engine.startWorkflow` throws: `problemResponse` makes
 * answers of them.
 *
 * @example
 * const response = await startFromRequest(engine, { workflow: checkout, input: await request.json(), request });
 */
export async function startFromRequest<Input>(engine: Engine, start: RequestStart<Input>): Promise<Response> {
  const { method, url, headers, signal } = start.request;
  const { pathname: path, search } = new URL(url);
  const request = { method, path, target: path + search, headers, signal };
  const { body, ...facts } = await answerStart(engine, { ...start, request });
  return new Response(body, facts);
}

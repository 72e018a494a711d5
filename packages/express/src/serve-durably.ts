// One live request to a durable handler: starts the run, or finds the one that the same key has started, and sends what it responds.

import {
  fingerprint,
  parsePrefer,
  readIdempotencyKey,
  startIdempotently,
  type IdempotentRun,
  type Preferences,
} from '@perdure/http';
import type { Request, Response } from 'express';
import { isFinal, isPerdureError, PerdureError, type RunHandle } from 'perdure';
import { answerProblem } from './answer-problem.js';
import type { RecordedResponse } from './captured-response.js';
import type { HandlerDefinition } from './handler-definition.js';
import type { HandlerWorkflow } from './hosted-handlers.js';
import type { Mount } from './mount.js';
import { requireTools } from './request-tools.js';
import { sendRecorded } from './send-recorded.js';
import type { StoredRequest } from './stored-request.js';

const longestTimeoutMs = 2 ** 31 - 1;

/** A live request, and what its handler's options say about keys. */
export interface LiveRequest {
  readonly req: Request;
  readonly res: Response;
  readonly key?: ((req: Request) => string | undefined) | undefined;
  readonly requireKey?: boolean | undefined;
}

/** Resolves when the response is sent or the client has gone. Rejects with what the handler threw. */
export async function serveDurably(
  definition: HandlerDefinition,
  stored: StoredRequest,
  live: LiveRequest,
): Promise<void> {
  const { req, res } = live;
  const { mount } = requireTools(req, `durableHandler("${definition.name}")`);
  const workflow = mount.handlers.require(definition);
  let started: IdempotentRun<RecordedResponse>;
  try {
    started = await start(mount, workflow, stored, live);
  } catch (error) {
    answerProblem(error, res);
    return;
  }
  const { handle, isReplay } = started;
  const preferences = parsePrefer(req.get('prefer'));
  const patienceMs = Math.min(mount.maxWaitMs, patienceMsOf(preferences));
  // Whoever does not wait still gets what is there.
  const isWaiting = patienceMs > 0 || (isReplay && isFinal(await handle.status()));
  const recorded = isWaiting ? await waitFor(handle, res, { definition, patienceMs }) : 'later';
  if (recorded === 'later') answerLater(res, handle, preferences);
  else if (recorded !== 'gone') sendRecorded(res, recorded, { isReplay });
}

function start(
  { engine, idempotency, principal }: Mount,
  workflow: HandlerWorkflow,
  stored: StoredRequest,
  { req, key: chooseKey = keyOfHeader, requireKey = idempotency.required ?? false }: LiveRequest,
): Promise<IdempotentRun<RecordedResponse>> {
  const key: string | undefined = chooseKey(req) ?? undefined; // null, where a body has it so
  const path = req.baseUrl + req.path;
  if (key === undefined && requireKey) throw new PerdureError('IDEMPOTENCY_KEY_MISSING', { path });
  const { method, originalUrl, body } = stored;
  return startIdempotently(engine, {
    workflow,
    input: stored,
    key,
    route: `${method} ${path}`,
    principal: principal?.(req),
    fingerprint: key === undefined ? '' : fingerprint({ method, path: originalUrl, body }),
    keepFor: idempotency.keepFor,
  });
}

function keyOfHeader(req: Request): string | undefined {
  return readIdempotencyKey({ headers: req });
}

function patienceMsOf({ respondAsync, waitSeconds }: Preferences): number {
  if (waitSeconds !== undefined) return waitSeconds * 1_000;
  return respondAsync ? 0 : Infinity;
}

async function waitFor(
  handle: RunHandle<RecordedResponse>,
  res: Response,
  { definition, patienceMs }: { readonly definition: HandlerDefinition; readonly patienceMs: number },
): Promise<RecordedResponse | 'later' | 'gone'> {
  const control = new AbortController();
  const timer =
    patienceMs === 0 ? undefined : setTimeout(() => control.abort('later'), Math.min(patienceMs, longestTimeoutMs));
  const onClose = (): void => control.abort('gone');
  if (res.destroyed) onClose();
  else res.once('close', onClose);
  try {
    return await handle.result({ signal: control.signal });
  } catch (error) {
    if (control.signal.aborted && error === control.signal.reason) return error === 'gone' ? 'gone' : 'later';
    if (isPerdureError(error, 'ENGINE_CLOSED')) return 'later'; // the run goes on elsewhere
    return throwServerError(error, definition);
  } finally {
    clearTimeout(timer);
    res.removeListener('close', onClose);
  }
}

// What a run has recorded is not too large because of its client, whose next request would be answered with 413 for it.
function throwServerError(error: unknown, { name }: HandlerDefinition): never {
  if (!isPerdureError(error, 'PAYLOAD_TOO_LARGE')) throw error;
  throw new PerdureError(
    'HANDLER_UNSUPPORTED',
    { handler: name, reason: error.message.slice(error.code.length + 2, -1) }, // without its full stop
    { cause: error },
  );
}

// No Location: the run is not exposed. The same request again, with the same key, gets the response as soon as there is one.
function answerLater(res: Response, { id }: RunHandle<unknown>, { respondAsync }: Preferences): void {
  if (respondAsync) res.set('preference-applied', 'respond-async');
  res.status(202).set({ 'retry-after': '1', 'cache-control': 'no-store' }).json({ id });
}

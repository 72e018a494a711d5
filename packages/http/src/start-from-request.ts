// From a request to the answer of a start: idempotency key, Prefer, 202 with Location, or the outcome. Used by the route
// of the protocol, and by adapters for routes of the application.

import {
  describeWorkflow,
  isFinal,
  isPerdureError,
  parseDuration,
  PerdureError,
  type Duration,
  type Engine,
  type RunHandle,
  type RunInfo,
  type Startable,
  type StartOptions,
} from 'perdure';
import { fingerprint } from './fingerprint.js';
import { readIdempotencyKey } from './idempotency-key.js';
import type { IdempotencyOptions } from './options.js';
import { toJsonText } from './plain-json.js';
import { parsePrefer } from './prefer.js';
import { outcomeOf } from './run-view.js';
import { startIdempotently } from './start-idempotently.js';

/** A start that a request asks for. */
export interface RequestStart<Input> {
  readonly workflow: Startable<Input, unknown>;
  /** Checked already; a schema of the workflow counts as well. */
  readonly input: Input;
  /** Its method, path and headers count; its body has been read. */
  readonly request: Request;
  /** What of the request, besides method, path and query, makes it the same one. Default: the input. */
  readonly body?: unknown;
  /** Whose idempotency key it is. Default: nobody's. */
  readonly principal?: string | undefined;
  readonly options?: StartOptions | undefined;
  /** Where the protocol is mounted: Location is `<basePath>/runs/<id>`. Default: the root. */
  readonly basePath?: string | undefined;
  readonly idempotency?: Pick<IdempotencyOptions, 'keepFor' | 'required'> | undefined;
  /** The longest wait that the client gets. Default: 30s. */
  readonly maxWait?: Duration | undefined;
  /** Asked before this request is told the outcome of a run that another one has started, by the same key or id. Default: yes. */
  readonly mayLearn?: ((id: string) => boolean | Promise<boolean>) | undefined;
  /** Tells the message of the error that the run failed with. Default: false. */
  readonly showErrors?: boolean | undefined;
}

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
  const { workflow, input, request, body = input, principal, options, basePath = '', idempotency = {} } = start;
  const { pathname: path, search } = new URL(request.url);
  const key = readIdempotencyKey(request);
  if (key === undefined && idempotency.required === true) throw new PerdureError('IDEMPOTENCY_KEY_MISSING', { path });
  const { handle, isReplay } = await startIdempotently(engine, {
    workflow,
    input,
    key,
    route: `${request.method} ${path}`,
    principal,
    fingerprint: key === undefined ? '' : fingerprint({ method: request.method, path: path + search, body }),
    keepFor: idempotency.keepFor,
    options,
  });
  const { waitSeconds, respondAsync } = parsePrefer(request.headers.get('prefer'));
  const waitMs = Math.min((waitSeconds ?? 0) * 1_000, parseDuration(start.maxWait ?? '30s', 'maxWait'));
  const mayLearn = !isReplay || (await (start.mayLearn?.(handle.id) ?? true));
  const outcome =
    waitMs > 0 && mayLearn ? await waitForOutcome(engine, handle, { waitMs, signal: request.signal }) : undefined;
  const applied = [
    ...(respondAsync && outcome === undefined ? ['respond-async'] : []),
    ...(waitSeconds === undefined ? [] : [`wait=${Math.floor(waitMs / 1_000)}`]),
  ];
  const url = `${basePath}/runs/${encodeURIComponent(handle.id)}`;
  const headers = {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    location: url,
    ...(applied.length > 0 ? { 'preference-applied': applied.join(', ') } : {}),
    ...(isReplay && key !== undefined ? { 'idempotency-replayed': 'true' } : {}),
  };
  const run = { id: handle.id, workflow: describeWorkflow(workflow).name };
  if (outcome === undefined) {
    return new Response(JSON.stringify({ ...run, url }), { status: 202, headers: { ...headers, 'retry-after': '1' } });
  }
  const view = { ...run, status: outcome.status, isFinal: true, ...outcomeOf(outcome, start.showErrors ?? false), url };
  return new Response(toJsonText(view), { status: 200, headers });
}

/** The end of a run. */
export type Outcome = Pick<RunInfo, 'status' | 'output' | 'error'>;

/** The end of a run if it comes in time; undefined when the time is up, the client has gone, or this process is closing. */
export async function waitForOutcome(
  engine: Engine,
  handle: RunHandle<unknown>,
  { waitMs, signal }: { readonly waitMs: number; readonly signal?: AbortSignal | undefined },
): Promise<Outcome | undefined> {
  if (signal?.aborted === true) return undefined;
  const ending = new AbortController();
  const end = (): void => ending.abort();
  const timer = setTimeout(end, waitMs);
  signal?.addEventListener('abort', end, { once: true });
  try {
    const output = await handle.result({ signal: ending.signal });
    return { status: 'succeeded', output, error: undefined };
  } catch (error) {
    if (ending.signal.aborted || isPerdureError(error, 'ENGINE_CLOSED')) return undefined;
    // What it threw does not tell whether it failed or was cancelled.
    const run = await engine.runs.get(handle.id);
    if (run === undefined) throw error;
    return isFinal(run.status) ? run : undefined;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
}

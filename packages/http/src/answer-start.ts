// Starting a run for a request, and what to answer: idempotency key, Prefer, 202 with Location, or the outcome. Nothing of the fetch API
// in here: to make a Request and a Response of what node:http has takes longer than the rest of a start.

import {
  describeWorkflow,
  parseDuration,
  PerdureError,
  type Duration,
  type Engine,
  type RunHandle,
  type Startable,
  type StartOptions,
} from 'perdure';
import { fingerprint } from './fingerprint.js';
import { readIdempotencyKey, type HeaderSource } from './idempotency-key.js';
import type { IdempotencyOptions } from './options.js';
import { toJsonText } from './plain-json.js';
import { parsePrefer, type Preferences } from './prefer.js';
import { outcomeOf } from './run-view.js';
import { startIdempotently } from './start-idempotently.js';
import { waitForOutcome, type Outcome } from './wait-for-outcome.js';

/** What of a request counts for a start. Its body has been read. */
export interface StartingRequest {
  readonly method: string;
  readonly path: string;
  /** Path and query, which make it the same request as another one of its key. */
  readonly target: string;
  readonly headers: HeaderSource;
  /** Fires when the client goes. Asked for when the client waits for the outcome. */
  readonly signal?: AbortSignal | undefined;
}

/** A start that a request asks for. */
export interface RequestStart<Input, From = Request> {
  readonly workflow: Startable<Input, unknown>;
  /** Checked already; a schema of the workflow counts as well. */
  readonly input: Input;
  /** Its method, path and headers count; its body has been read. */
  readonly request: From;
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

/** An answer, to be sent as it is. */
export interface StartAnswer {
  readonly status: 200 | 202;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
}

/** `startFromRequest` for adapters whose requests are no Request. Throws as that does. */
export async function answerStart<Input>(
  engine: Engine,
  start: RequestStart<Input, StartingRequest>,
): Promise<StartAnswer> {
  const { workflow, input, request, body = input, principal, options, idempotency = {} } = start;
  const { method, path, target } = request;
  const key = readIdempotencyKey(request);
  if (key === undefined && idempotency.required === true) throw new PerdureError('IDEMPOTENCY_KEY_MISSING', { path });
  const { handle, isReplay } = await startIdempotently(engine, {
    workflow,
    input,
    key,
    route: `${method} ${path}`,
    principal,
    fingerprint: key === undefined ? '' : fingerprint({ method, path: target, body }),
    keepFor: idempotency.keepFor,
    options,
  });
  const preferences = parsePrefer(request.headers.get('prefer'));
  const waitMs = waitMsOf(preferences, start.maxWait);
  const mayLearn = waitMs > 0 && (!isReplay || (await (start.mayLearn?.(handle.id) ?? true)));
  const outcome = mayLearn ? await waitForOutcome(engine, handle, { waitMs, signal: request.signal }) : undefined;
  const applied = appliedOf(preferences, { waitMs, isOver: outcome !== undefined });
  return answerOf(start, handle, { outcome, applied, isReplay: isReplay && key !== undefined });
}

function waitMsOf({ waitSeconds }: Preferences, maxWait: Duration = '30s'): number {
  return waitSeconds === undefined ? 0 : Math.min(waitSeconds * 1_000, parseDuration(maxWait, 'maxWait'));
}

function appliedOf(
  { respondAsync, waitSeconds }: Preferences,
  { waitMs, isOver }: { readonly waitMs: number; readonly isOver: boolean },
): readonly string[] {
  const async = respondAsync && !isOver ? ['respond-async'] : [];
  return waitSeconds === undefined ? async : [...async, `wait=${Math.floor(waitMs / 1_000)}`];
}

function answerOf(
  { workflow, basePath = '', showErrors = false }: Pick<RequestStart<never>, 'workflow' | 'basePath' | 'showErrors'>,
  { id }: RunHandle<unknown>,
  {
    outcome,
    applied,
    isReplay,
  }: { readonly outcome: Outcome | undefined; readonly applied: readonly string[]; readonly isReplay: boolean },
): StartAnswer {
  const url = `${basePath}/runs/${encodeURIComponent(id)}`;
  const headers = {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    location: url,
    ...(applied.length > 0 && { 'preference-applied': applied.join(', ') }),
    ...(isReplay && { 'idempotency-replayed': 'true' }),
  };
  const run = { id, workflow: describeWorkflow(workflow).name };
  if (outcome === undefined) {
    return { status: 202, headers: { ...headers, 'retry-after': '1' }, body: JSON.stringify({ ...run, url }) };
  }
  const view = { ...run, status: outcome.status, isFinal: true, ...outcomeOf(outcome, showErrors), url };
  return { status: 200, headers, body: toJsonText(view) };
}

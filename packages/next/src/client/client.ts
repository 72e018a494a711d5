// The protocol from a browser: starting, looking, sending, cancelling. Without React; the hook uses it.

import type { WorkflowReference } from 'perdure';
import { isRecord, PerdureRequestError, readRefusal } from './request-error.js';
import { LiveRun, type Ask, type RunStore } from './run-store.js';
import type { InputOf, RunTypes } from './run-types.js';

/** Options of a client. */
export interface ClientOptions {
  /** Where the routes are mounted. Default: `/api/perdure`. */
  readonly basePath?: string | undefined;
  /** Sent with every request, as an Authorization header. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Default: the global one. */
  readonly fetch?: typeof fetch | undefined;
}

/** A run that was started, or found under the same key. */
export interface StartedRun {
  readonly id: string;
}

/** What a browser can do, as far as the routes expose it. Each rejects with PerdureRequestError when the server refuses. */
export interface PerdureClient {
  /**
   * Starts a run. With an idempotency key, a repeated call is the same run.
   *
   * @example
   * const { id } = await client.start<typeof checkout>('checkout', { sku: 'A-1' }, { idempotencyKey: crypto.randomUUID() });
   */
  start<Workflow extends WorkflowReference<never, unknown>>(
    workflow: string,
    input: InputOf<Workflow>,
    options?: { readonly idempotencyKey?: string | undefined },
  ): Promise<StartedRun>;
  /** Sends a message to a run. */
  send(id: string, topic: string, message: unknown): Promise<void>;
  /** Cancels a run. */
  cancel(id: string): Promise<void>;
  /** A run to look at; `useRun` for code without React. */
  watch<Types extends RunTypes>(id: string): RunStore<Types>;
}

/**
 * A client of the routes.
 *
 * @example
 * const client = createPerdureClient({ basePath: '/api/perdure' });
 * await client.send(runId, 'approval', { approved: true });
 */
export function createPerdureClient({
  basePath = '/api/perdure',
  headers,
  fetch: own,
}: ClientOptions = {}): PerdureClient {
  const ask: Ask = (path, init) =>
    (own ?? fetch)(basePath + path, { ...init, headers: { ...headers, ...init.headers } });
  const post = async (path: string, body: unknown, more: Record<string, string> = {}): Promise<Response> => {
    const response = await ask(path, {
      method: 'POST',
      body: JSON.stringify(body ?? null),
      headers: { 'content-type': 'application/json', ...more },
    });
    if (!response.ok) throw await readRefusal(response);
    return response;
  };
  return {
    async start(workflow, input, { idempotencyKey } = {}) {
      const key: Record<string, string> =
        idempotencyKey === undefined ? {} : { 'idempotency-key': `"${idempotencyKey}"` };
      const response = await post(`/start/${encodeURIComponent(workflow)}`, input, { prefer: 'respond-async', ...key });
      return readStarted(response);
    },
    async send(id, topic, message) {
      await post(`/runs/${encodeURIComponent(id)}/topics/${encodeURIComponent(topic)}`, message);
    },
    async cancel(id) {
      await post(`/runs/${encodeURIComponent(id)}/cancel`, null);
    },
    watch: <Types extends RunTypes>(id: string) => new LiveRun(ask, id) as RunStore as RunStore<Types>,
  };
}

async function readStarted(response: Response): Promise<StartedRun> {
  const body: unknown = await response.json();
  const id: unknown = isRecord(body) ? body['id'] : undefined;
  if (typeof id !== 'string') throw new PerdureRequestError(response.status, { title: 'the answer names no run' });
  return { id };
}

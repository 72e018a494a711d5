// Starting a run for a request that may be sent again: the same key gives the same run, whichever process gets the request and
// whatever crashes in between. Adapters build on this.

import type { Duration, Engine, Idempotent, RunHandle, Startable, StartOptions } from 'perdure';
import { scopedKey } from './idempotency-key.js';

/** A start that may be asked for again. */
export interface IdempotentStart<Input, Output> {
  readonly workflow: Startable<Input, Output>;
  readonly input: Input;
  /** What the client calls this request; without one the start happens as often as it is asked for. */
  readonly key: string | undefined;
  /** Where the key counts, as `POST /orders`: the same key elsewhere is another one. */
  readonly route: string;
  /** Whose key it is. */
  readonly principal?: string | undefined;
  /** What the request says, by `fingerprint`. */
  readonly fingerprint: string;
  /** How long the key stands for the run, from its start. Default: 24h. */
  readonly keepFor?: Duration | undefined;
  readonly options?: StartOptions | undefined;
}

/** The run of a request. */
export interface IdempotentRun<Output> {
  readonly handle: RunHandle<Output>;
  /** The key was used before, for the same request. */
  readonly isReplay: boolean;
}

/**
 * Starts a run, or finds the one that an earlier request with the same key has started. Key and run are recorded in one statement.
 * Throws IDEMPOTENCY_KEY_REUSED when the earlier request was another one, and what `engine.startWorkflow` throws.
 *
 * @example
 * const { handle, isReplay } = await startIdempotently(engine, {
 *   workflow: checkout, input: order, key: request.headers.get('idempotency-key') ?? undefined, route: 'POST /orders',
 *   fingerprint: fingerprint({ method: 'POST', path: '/orders', body: order }),
 * });
 */
export async function startIdempotently<Input, Output>(
  engine: Engine,
  { workflow, input, key, route, principal, fingerprint, keepFor = '24h', options }: IdempotentStart<Input, Output>,
): Promise<IdempotentRun<Output>> {
  const idempotency =
    key === undefined ? {} : { idempotency: { key: scopedKey(key, route, principal), fingerprint, keepFor } };
  const handle = await startOf<Input, Output>(engine)(workflow, input, { ...options, ...idempotency });
  return { handle, isReplay: !handle.isNew };
}

type Start<Input, Output> = (
  workflow: Startable<Input, Output>,
  input: Input,
  options: StartOptions & Idempotent,
) => Promise<RunHandle<Output>>;

// The compiler cannot see that an Input is an argument of whatever takes an Input, while Input is not known.
function startOf<Input, Output>(engine: Engine): Start<Input, Output> {
  return engine.startWorkflow.bind(engine) as Start<Input, Output>;
}

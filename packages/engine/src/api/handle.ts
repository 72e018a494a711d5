// What a caller holds of a run.

import type { Executor } from '../run/executor.js';
import type { Outcome, Ticket } from '../run/run-host.js';
import { awaitResultIn, openOutcome } from '../run/waits.js';
import type { TransactionEnd } from '../store/open-transactions.js';
import { PerdureError } from '../values/errors.js';
import type { RunId } from '../values/ids.js';
import { decode } from '../values/serialize.js';
import type { RunStatus } from '../values/status.js';
import { checkSignal, refuseUnknown } from '../values/unknown-options.js';
import type { Runs } from './manage.js';
import { findCallingRun } from './start.js';

/** Options of waiting for a result. */
export interface ResultOptions {
  /** Ends the wait, not the run: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** A run, from outside or from within another run. */
export class RunHandle<Output> {
  readonly id: RunId;
  /** Whether this start made the run; false when a run of the id was there before. */
  readonly isNew: boolean;
  readonly #executor: Executor;
  readonly #runs: Runs;
  readonly #ticket: Ticket;

  /** @internal */
  constructor(executor: Executor, runs: Runs, ticket: Ticket) {
    this.id = ticket.id;
    this.isNew = ticket.isNew;
    this.#executor = executor;
    this.#runs = runs;
    this.#ticket = ticket;
  }

  /**
   * The run's result, whenever and wherever it finishes. Rejects with the error that the run threw, with RUN_CANCELLED or
   * RUN_TIMED_OUT, with RUN_NOT_FOUND, or with ENGINE_CLOSED when this engine is closed first. A paused run is waited for until it is
   * resumed or cancelled, and the log tells so. Inside workflow code the wait and its result are recorded. A run that was started in a
   * transaction is waited for from the commit on; after a rollback there is none: RUN_NOT_FOUND. Throws OPTION_INVALID.
   */
  async result(options: ResultOptions = {}): Promise<Output> {
    refuseUnknown(options, { signal: true }, 'waits for results');
    const signal = checkSignal(options.signal);
    const caller = findCallingRun(this.#executor);
    if (caller !== undefined && signal !== undefined) {
      const reason = 'in workflow code the wait is recorded, and ends with the run';
      throw new PerdureError('OPTION_INVALID', { option: 'signal', value: 'an AbortSignal', reason });
    }
    if (caller !== undefined) return (await awaitResultIn(caller, this.id)) as Output;
    const { outcome: known } = this.#ticket;
    // Any other end may be undone by resuming the run.
    const outcome = known?.status === 'succeeded' ? known : await this.#outcome(signal);
    return openOutcome(this.id, outcome, (text) => decode(text, `the result of run ${this.id}`)) as Output;
  }

  /** The run's state now. Throws RUN_NOT_FOUND. */
  async status(): Promise<RunStatus> {
    const found = await this.#runs.get(this.id);
    if (found === undefined) throw new PerdureError('RUN_NOT_FOUND', { id: this.id });
    return found.status;
  }

  /** Cancels the run: waits are cut, signals of executing steps fire. A finished run stays as it is. */
  async cancel(): Promise<void> {
    await this.#runs.cancel(this.id);
  }

  #outcome(signal: AbortSignal | undefined): Promise<Outcome | undefined> {
    signal?.throwIfAborted();
    const { transactionEnd } = this.#ticket;
    return transactionEnd === undefined ? this.#told(signal) : this.#toldAfter(transactionEnd, signal);
  }

  // Before the transaction that started it has ended, nobody can know whether there is a run to wait for.
  async #toldAfter(
    transactionEnd: Promise<TransactionEnd>,
    signal: AbortSignal | undefined,
  ): Promise<Outcome | undefined> {
    if ((await until(transactionEnd, signal)) !== 'rolled back') return this.#told(signal);
    const cause = new Error('the transaction that started it was rolled back');
    throw new PerdureError('RUN_NOT_FOUND', { id: this.id }, { cause });
  }

  #told(signal: AbortSignal | undefined): Promise<Outcome | undefined> {
    return new Promise((resolve, reject) => {
      const forget = (): void => signal?.removeEventListener('abort', abort);
      const stop = this.#executor.outcomes.on(
        this.id,
        (outcome) => {
          forget();
          resolve(outcome);
        },
        () => {
          forget();
          reject(new PerdureError('ENGINE_CLOSED', { operation: 'result' }));
        },
      );
      const abort = (): void => {
        stop();
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', abort, { once: true });
    });
  }
}

async function until<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    void promise.then(resolve).finally(() => signal.removeEventListener('abort', abort));
  });
}

// The turns of runs: once per macrotask, every run that asked for one gets one. What a turn sets off in workflow code has
// run before the next, and one tick serves all runs, so that its cost is shared.

import type { HostedRun } from './run-host.js';

/** The pump of one executor. */
export class Pump {
  readonly #onFailure: (run: HostedRun, error: unknown) => void;
  #waiting = new Set<HostedRun>();
  #isScheduled = false;

  constructor(onFailure: (run: HostedRun, error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** Gives the run a turn in the next macrotask. */
  schedule(run: HostedRun): void {
    this.#waiting.add(run);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#turn);
  }

  /** The run has left. */
  forget(run: HostedRun): void {
    this.#waiting.delete(run);
  }

  readonly #turn = (): void => {
    this.#isScheduled = false;
    const runs = this.#waiting;
    this.#waiting = new Set();
    for (const run of runs) {
      try {
        run.pump();
      } catch (error) {
        this.#onFailure(run, error);
      }
    }
  };
}

// Who in this process waits for the outcome of which run. Outcomes of runs that finish here arrive in memory; the others
// are watched for in the database by services/watcher.ts.

import type { RunId } from '../values/ids.js';
import type { Outcome } from './run-host.js';

/** Undefined: the run does not exist, or does not exist any more. */
export type OutcomeCallback = (outcome: Outcome | undefined) => void;

interface Waiter {
  /** Its number among all waits. */
  readonly number: number;
  readonly tell: OutcomeCallback;
  /** The engine is closed, and will never know the outcome. */
  readonly giveUp: (() => void) | undefined;
}

/** The waiters of one engine. */
export class Outcomes {
  readonly #waiters = new Map<RunId, Set<Waiter>>();
  readonly #isLocal: (id: RunId) => boolean;
  readonly #watch: () => void;
  #count = 0;
  #isClosed = false;

  /** `isLocal`: the run's end will be told here. `watch`: somebody waits for a run whose end will not. */
  constructor(isLocal: (id: RunId) => boolean, watch: () => void) {
    this.#isLocal = isLocal;
    this.#watch = watch;
  }

  /** Calls back once, with the outcome or, if the engine is closed first, without. Returns how to stop waiting. */
  on(id: RunId, tell: OutcomeCallback, giveUp?: () => void): () => void {
    if (this.#isClosed) {
      giveUp?.();
      return () => undefined;
    }
    const waiter = { number: (this.#count += 1), tell, giveUp };
    const waiters = this.#waiters.get(id) ?? new Set();
    waiters.add(waiter);
    this.#waiters.set(id, waiters);
    if (!this.#isLocal(id)) this.#watch();
    return () => {
      waiters.delete(waiter);
      if (waiters.size === 0 && this.#waiters.get(id) === waiters) this.#waiters.delete(id);
    };
  }

  /** How many waits there have been so far. */
  get count(): number {
    return this.#count;
  }

  /**
   * Tells the outcome to everybody who waits for it. `count`: only to those who waited when the database was asked; its
   * answer may be older than what the others wait for, such as a run that did not exist yet.
   */
  tell(id: RunId, outcome: Outcome | undefined, count = Infinity): void {
    const waiters = this.#waiters.get(id);
    if (waiters === undefined) return;
    const told = [...waiters].filter(({ number }) => number <= count);
    for (const waiter of told) waiters.delete(waiter);
    if (waiters.size === 0) this.#waiters.delete(id);
    for (const waiter of told) waiter.tell(outcome);
  }

  /** Nothing will be known here any more. */
  close(): void {
    this.#isClosed = true;
    const waiters = [...this.#waiters.values()].flatMap((set) => [...set]);
    this.#waiters.clear();
    for (const { giveUp } of waiters) giveUp?.();
  }

  /** A run has left this process without an outcome: if somebody waits for it, it is watched from now on. */
  left(id: RunId): void {
    if (this.#waiters.has(id)) this.#watch();
  }

  /** The runs that are waited for and not local. */
  get watched(): readonly RunId[] {
    return [...this.#waiters.keys()].filter((id) => !this.#isLocal(id));
  }

  has(id: RunId): boolean {
    return this.#waiters.has(id);
  }
}

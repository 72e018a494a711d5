// Who in this process wants to look again when a run has published something or got a message. A hint, never the news
// itself: whoever is called asks the database, and everybody is called at the poll interval as well.

import type { RunId } from '../values/ids.js';

/** The interests of one engine. */
export class Interests {
  readonly #callbacks = new Map<string, Set<() => void>>();

  /** Calls back at every hint about the run. Returns how to stop. */
  on(id: RunId, callback: () => void): () => void {
    const callbacks = this.#callbacks.get(id) ?? new Set();
    callbacks.add(callback);
    this.#callbacks.set(id, callbacks);
    return () => {
      callbacks.delete(callback);
      if (callbacks.size === 0 && this.#callbacks.get(id) === callbacks) this.#callbacks.delete(id);
    };
  }

  /** Something of these runs may have changed. */
  touch(ids: readonly string[]): void {
    for (const id of ids) for (const callback of this.#callbacks.get(id) ?? []) callback();
  }

  /** Anything may have changed. */
  touchAll(): void {
    for (const callbacks of this.#callbacks.values()) for (const callback of callbacks) callback();
  }
}

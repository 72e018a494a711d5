// What one executor knows of the queues: which there are, which of them let a start begin here at once, and how many runs of
// each it has in memory. The database decides; this only saves asking it in vain.

import type { QueueRow } from '../store/queue-rows.js';

const freshMs = 5_000;

/** The queues as this executor last saw them. */
export class QueueBook {
  /** The queues that this executor serves; undefined for all. */
  readonly serves: readonly string[] | undefined;
  /** Runs are in line here for lack of room: nobody may begin before them. */
  isBehind = false;
  /** A claim is under way: what it brings is not in memory yet, and has been promised the room there is. */
  isClaiming = false;
  readonly #load: () => Promise<readonly QueueRow[]>;
  readonly #live = new Map<string, number>();
  #known: ReadonlyMap<string, QueueRow> = new Map();
  #loading: Promise<void> | undefined;
  #loadedAt = -Infinity;

  constructor(serves: readonly string[] | undefined, load: () => Promise<readonly QueueRow[]>) {
    this.serves = serves;
    this.#load = load;
  }

  /** Runs in memory, by queue. */
  get live(): ReadonlyMap<string, number> {
    return this.#live;
  }

  get names(): readonly string[] {
    return [...this.#known.keys()];
  }

  /** Whether there is a queue of this name, or was a little while ago. */
  has(name: string): boolean {
    this.freshen(freshMs);
    return this.#known.has(name);
  }

  /** Asks the database which queues there are. */
  async refresh(): Promise<void> {
    this.#loading ??= this.#load().then(
      (rows) => {
        this.#loading = undefined;
        this.#loadedAt = performance.now();
        this.#known = new Map(rows.map((row) => [row.name, row]));
      },
      (error: unknown) => {
        this.#loading = undefined;
        throw error;
      },
    );
    await this.#loading;
  }

  /** What is known may be out of date: it is asked for again, while nobody waits for it. */
  freshen(maxAgeMs: number): void {
    if (performance.now() - this.#loadedAt > maxAgeMs) void this.refresh().catch(() => undefined);
  }

  /** Whether a start may begin here without asking for a slot. */
  mayBegin(name: string): boolean {
    this.freshen(freshMs);
    const queue = this.#known.get(name);
    if (queue === undefined || queue.isLimited || queue.isPaused || this.isBehind) return false;
    if (this.serves !== undefined && !this.serves.includes(name)) return false;
    if (queue.executorConcurrency === undefined) return true;
    return !this.isClaiming && (this.#live.get(name) ?? 0) < queue.executorConcurrency;
  }

  /** A run has come into memory. */
  entered(queue: string | undefined): void {
    if (queue !== undefined) this.#live.set(queue, (this.#live.get(queue) ?? 0) + 1);
  }

  /** A run has left memory. */
  left(queue: string | undefined): void {
    if (queue === undefined) return;
    const count = (this.#live.get(queue) ?? 0) - 1;
    if (count > 0) this.#live.set(queue, count);
    else this.#live.delete(queue);
  }
}

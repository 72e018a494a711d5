// Transactions of the application that runs were started or messages sent in, until they end. Whoever holds a handle of such a
// run waits here first; services/transaction-watch.ts asks the database how they end.

import type { TransactionEnd } from '../store/open-transactions.js';
import type { NewRun } from './run-host.js';

interface OpenTransaction {
  /** Of performance.now(): the last time that something was done in it. */
  usedAt: number;
  hasMessages: boolean;
  readonly keys: Set<string>;
  readonly end: Promise<TransactionEnd>;
  readonly settle: (end: TransactionEnd) => void;
}

/** What the transactions that just committed have left to do. */
export interface CommittedWork {
  readonly hasRuns: boolean;
  readonly hasMessages: boolean;
}

/** The open transactions that one engine takes part in. */
export class OpenTransactions {
  readonly #open = new Map<string, OpenTransaction>();
  readonly #holders = new Map<string, OpenTransaction>();
  readonly #onOpened: () => void;
  #isClosed = false;

  constructor(onOpened: () => void) {
    this.#onOpened = onOpened;
  }

  /** These runs were started in this transaction. Resolves to how it ended; to `unknown` if the engine is closed before. */
  followRuns(xid: string, newRuns: readonly NewRun[]): Promise<TransactionEnd> {
    const transaction = this.#use(xid);
    for (const key of newRuns.flatMap(keysOf)) {
      transaction.keys.add(key);
      this.#holders.set(key, transaction);
    }
    return transaction.end;
  }

  /** A message was sent in this transaction. */
  followMessage(xid: string): void {
    this.#use(xid).hasMessages = true;
  }

  /**
   * The end of the transaction that has started this id or dedup key and has not ended: until then the database would have a second start
   * wait, and with it whatever is written in the same batch.
   */
  findHolder(newRun: NewRun): Promise<TransactionEnd> | undefined {
    if (this.#holders.size === 0) return undefined;
    return keysOf(newRun)
      .map((key) => this.#holders.get(key))
      .find((holder) => holder !== undefined)?.end;
  }

  #use(xid: string): OpenTransaction {
    const transaction = this.#open.get(xid) ?? open();
    if (this.#isClosed) transaction.settle('unknown');
    else this.#open.set(xid, transaction);
    transaction.usedAt = performance.now();
    this.#onOpened();
    return transaction;
  }

  get xids(): readonly string[] {
    return [...this.#open.keys()];
  }

  /** How long ago the last of them was used, in milliseconds; undefined when none is open. */
  get youngestAgeMs(): number | undefined {
    if (this.#open.size === 0) return undefined;
    return performance.now() - Math.max(...[...this.#open.values()].map(({ usedAt }) => usedAt));
  }

  /** These have ended. */
  ended(ends: ReadonlyMap<string, TransactionEnd>): CommittedWork {
    const committed: OpenTransaction[] = [];
    for (const [xid, end] of ends) {
      const transaction = this.#open.get(xid);
      if (transaction === undefined) continue;
      this.#open.delete(xid);
      for (const key of transaction.keys) if (this.#holders.get(key) === transaction) this.#holders.delete(key);
      transaction.settle(end);
      if (end !== 'rolled back') committed.push(transaction);
    }
    return { hasRuns: committed.length > 0, hasMessages: committed.some(({ hasMessages }) => hasMessages) };
  }

  /** Nothing more will be known here. */
  close(): void {
    this.#isClosed = true;
    for (const { settle } of this.#open.values()) settle('unknown');
    this.#open.clear();
    this.#holders.clear();
  }
}

function open(): OpenTransaction {
  let settle: (end: TransactionEnd) => void = () => undefined;
  const end = new Promise<TransactionEnd>((resolve) => (settle = resolve));
  return { usedAt: 0, hasMessages: false, keys: new Set(), end, settle };
}

// What nobody else can have. Names have no line breaks.
function keysOf({ id, place }: NewRun): readonly string[] {
  const ids = id === undefined ? [] : [`id\n${id}`];
  return place?.dedupKey === undefined ? ids : [...ids, `dedup key\n${place.queue}\n${place.dedupKey}`];
}

// Transactions of the application that runs were started or messages sent in, until they end. Whoever holds a handle of such a
// run waits here first; services/transaction-watch.ts asks the database how they end.

import type { TransactionEnd } from '../store/open-transactions.js';

interface OpenTransaction {
  /** Of performance.now(): the last time that something was done in it. */
  usedAt: number;
  hasMessages: boolean;
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
  readonly #onOpened: () => void;
  #isClosed = false;

  constructor(onOpened: () => void) {
    this.#onOpened = onOpened;
  }

  /** Something was done in this transaction. Resolves to how it ended; to `unknown` if the engine is closed before. */
  follow(xid: string, what: 'runs' | 'messages'): Promise<TransactionEnd> {
    if (this.#isClosed) return Promise.resolve('unknown');
    const transaction = this.#open.get(xid) ?? open();
    this.#open.set(xid, transaction);
    transaction.usedAt = performance.now();
    if (what === 'messages') transaction.hasMessages = true;
    this.#onOpened();
    return transaction.end;
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
  }
}

function open(): OpenTransaction {
  let settle: (end: TransactionEnd) => void = () => undefined;
  const end = new Promise<TransactionEnd>((resolve) => (settle = resolve));
  return { usedAt: 0, hasMessages: false, end, settle };
}

// Watches the transactions of the application that runs were started or messages sent in. Once one has committed, its runs are
// due and its messages are announced, here and to the other processes: no NOTIFY in the transaction itself, which would make its
// commit wait for all others that notify. If this process dies before, polling finds the runs, and any other announces the messages.

import type { Executor } from '../run/executor.js';
import type { OpenTransactions } from '../run/open-transactions.js';
import type { Database } from '../store/database.js';
import { findTransactionEnds } from '../store/open-transactions.js';
import { announceMessages } from '../store/transaction-messages.js';
import { Service } from './service.js';

/** What the watch works with. */
export interface TransactionWatchOptions {
  readonly database: Database;
  readonly executor: Executor;
  readonly transactions: OpenTransactions;
  /** How often to look for messages that nobody has announced. Default: 5 seconds, with notifications or without. */
  readonly pollMs: number | undefined;
}

// How soon to ask after a transaction was used: most commit right away. One that stays open is asked after ever more rarely.
const shortestWaitMs = 5;
const longestWaitMs = 250;
const fullPortion = 1_000;
const defaultPollMs = 5_000;

/** The watch of one engine, and what has it announce messages now. */
export interface TransactionWatch {
  readonly service: Service;
  readonly announce: () => void;
}

/** The watch of one engine. */
export function transactionWatch({
  database,
  executor,
  transactions,
  pollMs,
}: TransactionWatchOptions): TransactionWatch {
  let announcesAt = -Infinity;
  const ask = async (): Promise<void> => {
    const { xids } = transactions;
    if (xids.length === 0) return;
    const { hasRuns, hasMessages } = transactions.ended(await findTransactionEnds(database, xids));
    if (hasMessages) announcesAt = -Infinity;
    if (hasRuns) executor.options.onCommitted({ watchedIds: [], touchedIds: [], hasDue: true });
  };
  const announce = async (): Promise<void> => {
    if (performance.now() < announcesAt) return;
    const receivers = await announceMessages(database);
    announcesAt = receivers.length >= fullPortion ? -Infinity : performance.now() + (pollMs ?? defaultPollMs);
    for (const { runId, isWoken } of receivers) executor.tellSent(runId, { isWoken });
  };
  const round = async (): Promise<number> => {
    await ask();
    await announce();
    const { youngestAgeMs } = transactions;
    const openMs = youngestAgeMs === undefined ? Infinity : youngestAgeMs / 8;
    const askMs = Math.min(Math.max(openMs, shortestWaitMs), openMs === Infinity ? Infinity : longestWaitMs);
    return Math.max(1, Math.min(askMs, announcesAt - performance.now()));
  };
  const service = new Service({ name: 'transaction watch', round, logger: executor.logger, retryMs: 250 });
  return {
    service,
    announce: () => {
      announcesAt = -Infinity;
      service.poke();
    },
  };
}

/** When a transaction is used, the watch asks for it that soon. */
export const firstAskMs = shortestWaitMs;

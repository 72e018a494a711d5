// What an executor is given by whoever puts the engine together.

import type { Database } from '../store/database.js';
import type { Logger } from '../values/logger.js';
import type { AroundStep } from './around-step.js';
import type { ContextCarrier } from './carried-context.js';
import type { Registry } from './definition.js';
import type { CommitNews } from './journal-lane.js';
import type { OpenTransactions } from './open-transactions.js';

/** What an executor is made of. */
export interface ExecutorOptions {
  readonly database: Database;
  readonly registry: Registry;
  readonly logger: Logger;
  readonly transactions: OpenTransactions;
  readonly leaseMs: number;
  readonly parkAfterMs: number;
  readonly maxConcurrentRuns: number;
  /** The queues to serve; undefined for all. */
  readonly serveQueues: readonly string[] | undefined;
  readonly maxPayloadBytes: number;
  readonly aroundStep: AroundStep | undefined;
  readonly carrier: ContextCarrier | undefined;
  /** Something was committed that other processes want to know. */
  readonly onCommitted: (news: CommitNews) => void;
  /** A run here may have a message to receive. */
  readonly onMail: () => void;
  /** Somebody here waits for a run that ends elsewhere. */
  readonly onWatch: () => void;
  /** A run has left, so there is room for another, also in its queue. */
  readonly onRoom: (queue: string | undefined) => void;
}

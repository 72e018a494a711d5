// The contract between a run in memory and the executor that hosts it.

import type { IdempotencyKey } from '../store/idempotency-keys.js';
import type { QueuePlace } from '../store/queue-starts.js';
import type { TransactionEnd } from '../store/open-transactions.js';
import type { History } from '../store/steps.js';
import type { ExecutorId, RunId } from '../values/ids.js';
import type { Logger } from '../values/logger.js';
import type { FinalStatus } from '../values/status.js';
import type { AroundStep } from './around-step.js';
import type { ContextCarrier } from './carried-context.js';
import type { Clock } from './clock.js';
import type { WorkflowDefinition } from './definition.js';
import type { Exchange } from './exchange.js';
import type { Journal } from './journal.js';
import type { Mailbox } from './mailbox.js';
import type { Persistence } from './persist.js';

/** The end of a run, in stored form. */
export interface Outcome {
  readonly status: FinalStatus;
  readonly output: string | undefined;
  readonly error: string | undefined;
}

/** What an executor needs to know of a run in its memory. */
export interface HostedRun {
  readonly id: RunId;
  readonly epoch: number;
  /** When the run is cancelled, of the database's time. Its children inherit it. */
  readonly deadlineAtMs: number | undefined;
  readonly ticket: Ticket;
  pump(): void;
}

/** What a run needs from its executor. */
export interface RunHost {
  /** The executor's id at present. */
  readonly executorId: ExecutorId;
  readonly clock: Clock;
  readonly journal: Pick<Journal, 'start' | 'checkpoint' | 'publish' | 'outcome' | 'park'>;
  readonly logger: Logger;
  readonly parkAfterMs: number;
  readonly maxPayloadBytes: number;
  readonly options: { readonly aroundStep: AroundStep | undefined };
  /** Runs something in the asynchronous context of the launch: that of whoever started a run is gone once it is replayed. */
  readonly outside: <T>(work: () => T) => T;
  /** What goes along with the runs that are started. */
  readonly carrier: ContextCarrier | undefined;
  /** No user function may begin any more: the engine is being closed. */
  readonly isDraining: boolean;
  /** How long to go on trying what must succeed. */
  persistence(what: string): Persistence;
  /** Asks for `run.pump()` in the next macrotask. */
  schedulePump(run: HostedRun): void;
  /** Starts a child of this run, or finds the one that is there. Resolves when it is durable. */
  startChild(run: HostedRun, child: ChildStart): Promise<Ticket>;
  /** Calls back once with the outcome of any run, from wherever it finishes. Returns how to stop. */
  onOutcome(id: RunId, callback: (outcome: Outcome | undefined) => void): () => void;
  /** Messages for the runs of this executor. */
  readonly mailbox: Pick<Mailbox, 'receive' | 'received'>;
  /** What runs write and ask outside of the journal. */
  readonly exchange: Pick<Exchange, 'recordAttempt' | 'send' | 'onEvent' | 'findStreamEnd'>;
  /** The run has left memory with this outcome recorded. */
  finished(run: HostedRun, outcome: Outcome): void;
  /** The run has left memory without one: parked, paused or released. */
  left(run: HostedRun): void;
  /** The run is no longer owned; or `isStuck`: it is, but cannot go on here for now. */
  lost(run: HostedRun, isStuck?: boolean): void;
  /** The run is not in memory: it must not stay behind as running here with nobody to run it. */
  release(run: HostedRun): void;
}

/** A run to start. */
export interface NewRun {
  readonly definition: WorkflowDefinition;
  /** Tagged JSON. */
  readonly input: string;
  /** Chosen by the caller; otherwise a new one is made. */
  readonly id?: RunId | undefined;
  readonly delayMs?: number | undefined;
  readonly timeoutMs?: number | undefined;
  /** Neither the timeout of its workflow nor the deadline of its parent counts. */
  readonly isUnlimited?: boolean | undefined;
  /** JSON object. */
  readonly attributes?: string | undefined;
  /** The queue to start it in. */
  readonly place?: QueuePlace | undefined;
  /** Another run of its id is an error, RUN_EXISTS, and so is another unfinished one with its dedup key, DEDUP_CONFLICT. */
  readonly rejectsDuplicate?: boolean | undefined;
  /** At most one run is started with this key. */
  readonly idempotency?: IdempotencyKey | undefined;
}

/** A child to start. */
export interface ChildStart extends NewRun {
  readonly id: RunId;
  /** The id is made of its parent's: a run of that id which somebody else has started is an error, RUN_EXISTS. */
  readonly hasDerivedId?: boolean;
}

/** A run that was started here or found: who holds it learns the outcome even if it is told before they ask. */
export interface Ticket {
  readonly id: RunId;
  /** False when a run of this id was there before. */
  readonly isNew: boolean;
  outcome: Outcome | undefined;
  /** It was started in a transaction of the application: until that has ended, nobody can see the run. */
  readonly transactionEnd?: Promise<TransactionEnd>;
}

/** What a run starts from: a fresh insert, or a claim with its history. */
export interface RunSeed {
  readonly id: RunId;
  readonly definition: WorkflowDefinition;
  readonly queue: string | undefined;
  readonly input: string;
  readonly epoch: number;
  readonly startedAtMs: number;
  readonly deadlineAtMs: number | undefined;
  readonly timeoutMs: number | undefined;
  readonly attributes: Readonly<Record<string, unknown>> | undefined;
  readonly history: History;
  readonly acceptsNewSteps: boolean;
  /** Its code has run before, up to the waits or steps that its history ends with. */
  readonly isContinued: boolean;
}

/** A history with nothing in it. */
export const emptyHistory: History = { steps: [], attempts: [] };

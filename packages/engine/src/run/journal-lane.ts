// One connection of the journal and the batches that queue for it, first in, first out. It keeps trying through outages
// and failovers, and never settles a write on a guess: after a lost answer it asks what is written.

import { commitBatch, type BatchResult } from '../store/batch.js';
import type { Connection } from '../store/connection.js';
import { explain, isLockTimeout, isReadOnly, kindOf } from '../store/failures.js';
import { parkRuns } from '../store/runs.js';
import { wakeWaiters } from '../store/waiters.js';
import { findWritten, startOf, type Written } from '../store/written.js';
import { PerdureError } from '../values/errors.js';
import type { ExecutorId, RunId } from '../values/ids.js';
import type { Logger } from '../values/logger.js';
import { Batch, type Beginning, type Start } from './journal-batch.js';
import { Outage } from './outage.js';
import { registerWaiters } from './register-waiters.js';

/** What others may want to know of a commit. */
export interface CommitNews {
  readonly watchedIds: readonly string[];
  /** Runs are due now. */
  readonly hasDue: boolean;
  /** When the first of the parked runs is due, of the database's time; Infinity for not before a wake-up. */
  readonly nextDueAtMs?: number;
  /** Runs that have published something. */
  readonly touchedIds: readonly string[];
}

/** What a lane needs from its executor. */
export interface LaneOptions {
  readonly connect: () => Promise<Connection>;
  readonly target: string;
  readonly executorId: () => ExecutorId;
  readonly now: () => number;
  /** The executor was declared dead; resolves when it has a new id. */
  readonly onFenced: (id: ExecutorId) => Promise<void>;
  /** Something was committed that other processes or waiters may want to know. */
  readonly onCommitted: (news: CommitNews) => void;
  readonly onOutage: (reason: string) => void;
  readonly onRecovered: () => void;
  /** A start that a lock keeps waiting: its id or key is held by a transaction that is still open. */
  readonly onHeldUp: (start: Start, wasUncertain: boolean) => void;
  readonly logger: Logger;
}

/** A connection with its queue of batches. */
export class Lane {
  readonly #options: LaneOptions;
  readonly #outage: Outage;
  #queue: Batch[] = [];
  #current: Batch | undefined;
  #connection: Connection | undefined;
  #isScheduled = false;
  #isClosed = false;
  #idleWaiters: (() => void)[] = [];

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#outage = new Outage(options);
  }

  /** Writes that wait or are being committed. */
  get size(): number {
    return this.#queue.reduce((sum, batch) => sum + batch.size, this.#current?.size ?? 0);
  }

  /** `beginning`: the writer's own insert, if it is under way. A statement does not see the rows that it inserts. */
  add(write: (batch: Batch) => void, beginning?: Beginning): void {
    let last = this.#queue.at(-1);
    const isTooEarly = beginning?.isSent === false && last?.starts.some((start) => start === beginning) === true;
    if (last === undefined || last.isFull || isTooEarly) this.#queue.push((last = new Batch()));
    write(last);
    this.#schedule();
  }

  async whenIdle(): Promise<void> {
    if (this.#current === undefined && this.#queue.length === 0) return;
    await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Tells the callers of starts from before a moment that nobody knows of them. */
  giveUpStarts(reason: string, beforeMs = Infinity): void {
    for (const batch of [this.#current, ...this.#queue]) {
      for (const { row, giveUp, addedAtMs } of batch?.starts ?? [])
        if (addedAtMs <= beforeMs) giveUp(new PerdureError('START_UNCONFIRMED', { id: row.id, reason }));
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.giveUpStarts('the engine was closed');
    this.#outage.close();
    await this.#connection?.close();
  }

  // The flush waits for the macrotask after the current one, so that all runs that go on now get into this batch.
  #schedule(): void {
    if (this.#isScheduled || this.#current !== undefined) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    const batch = this.#queue.shift();
    if (batch === undefined || this.#current !== undefined) return;
    this.#current = batch;
    for (const start of batch.starts) start.isSent = true;
    await this.#settle(batch);
    this.#current = undefined;
    if (this.#queue.length > 0)
      setImmediate(() => this.#schedule()); // after the pump that the answers caused
    else for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  // Until every write of the batch is decided.
  async #settle(batch: Batch): Promise<void> {
    while (batch.size > 0 && !this.#isClosed) {
      const connection = await this.#connected();
      if (connection === undefined) continue;
      try {
        if (batch.isUncertain) await this.#reconcile(connection, batch);
        else await this.#commit(connection, batch);
        this.#outage.recovered();
      } catch (error) {
        await this.#handle(error, batch);
      }
    }
  }

  async #commit(connection: Connection, batch: Batch): Promise<void> {
    const executor = this.#options.executorId();
    if (batch.size > batch.parks.length) {
      const result = await commitBatch(connection, executor, batch.rows());
      if (!result.isOwner) return this.#fenced(executor, batch);
      this.#tellCommitted(batch, result);
      if (result.unwoken > 0) batch.unwoken = [...batch.outcomes.map(({ row }) => row.runId), ...batch.touchedIds];
      this.#settleStarts(batch, result);
      // In the common case every checkpoint and outcome was accepted.
      const isComplete = result.recorded === batch.checkpoints.length && result.finished === batch.outcomes.length;
      if (isComplete && batch.starts.length === 0) batch.settleRecorded();
      else await this.#reconcile(connection, batch, true);
    }
    if (batch.parks.length > 0) await this.#park(connection, batch);
    if (batch.unwoken.length > 0) await this.#wakeWaiters(connection, batch);
  }

  async #wakeWaiters(connection: Connection, batch: Batch): Promise<void> {
    const woken = await wakeWaiters(connection, batch.unwoken);
    batch.unwoken = [];
    if (woken > 0) this.#options.onCommitted({ watchedIds: [], touchedIds: [], hasDue: true });
  }

  // An id that was taken is somebody else's, unless the batch went twice: then the first one may have committed after all.
  #settleStarts(batch: Batch, { startedIds, queuedIds }: BatchResult): void {
    const { starts } = batch;
    batch.starts = [];
    const started = startedIds === undefined ? undefined : new Set(startedIds);
    for (const start of starts) {
      const { id, isOwned } = start.row;
      if (started === undefined || started.has(id))
        start.settle(isOwned && queuedIds.includes(id) ? 'queued' : 'recorded');
      else if (batch.wasUncertain) batch.starts.push(start);
      else start.settle('exists');
    }
  }

  // Decides each write by what is in the database. After an answer (`isFinal`), what is missing was refused; after a
  // lost answer it is sent again if its run is still owned.
  async #reconcile(connection: Connection, batch: Batch, isFinal = false): Promise<void> {
    const written = await findWritten(connection, batch.rows());
    const { starts, checkpoints, outcomes } = batch;
    const executor = this.#options.executorId();
    batch.isUncertain = false;
    batch.starts = starts.filter(({ row, settle }) => {
      const run = written.findRun(row.id);
      if (run !== undefined) settle(startOf(run, row, executor));
      // Absent after an answer: a key of it is taken, or the run that starts it is lost. Sending it again would not help.
      else if (isFinal) settle((row.place?.dedupKey ?? row.idempotency) === undefined ? 'refused' : 'exists');
      else return true;
      return false;
    });
    batch.checkpoints = checkpoints.filter(({ row, publications, settle }) => {
      const found = written.findStep(row);
      if (found === 'own' && !isFinal && publications?.events !== undefined) batch.unwoken.push(row.runId);
      if (found === 'own') settle('recorded');
      else if (isFinal || found === 'foreign' || !owns(written, row.runId, row.epoch)) settle('refused');
      else return true;
      return false;
    });
    // Not known of what belongs to no checkpoint. It does no harm to send it again.
    if (isFinal) for (const { settle } of batch.publications.splice(0)) settle('recorded');
    batch.outcomes = outcomes.filter(({ row, settle }) => {
      const run = written.findRun(row.runId);
      const isRecorded = run?.epoch === row.epoch && run.status === row.status;
      if (isRecorded && !isFinal) batch.unwoken.push(row.runId); // what the lost answer said of its waiters is not known
      if (isRecorded) settle('recorded');
      else if (isFinal || !owns(written, row.runId, row.epoch)) settle('refused');
      else return true;
      return false;
    });
  }

  // Registering first means that a run that finishes or publishes from then on marks the waiter as due. What had happened
  // before is seen here: its waiter is parked as due at once.
  async #park(connection: Connection, batch: Batch): Promise<void> {
    const satisfied = await registerWaiters(connection, batch.parks);
    const nowMs = this.#options.now();
    const rows = batch.parks.map(({ row }) => (satisfied.has(row.id) ? { ...row, dueAtMs: nowMs } : row));
    const parked = await parkRuns(connection, this.#options.executorId(), rows);
    const { parks } = batch;
    batch.parks = [];
    for (const { row, settle } of parks) settle(parked.has(row.id) ? 'recorded' : 'refused');
    const hasDue = [...parked.values()].some(({ isDue }) => isDue);
    const nextDueAtMs = rows.reduce((next, { dueAtMs = Infinity }) => Math.min(next, dueAtMs), Infinity);
    this.#options.onCommitted({ watchedIds: [], touchedIds: [], hasDue, nextDueAtMs });
  }

  #tellCommitted(batch: Batch, result: BatchResult): void {
    const hasQueued = result.queuedIds.length > 0 || batch.starts.some(({ row }) => row.status === 'queued');
    const { touchedIds } = batch;
    if (result.watchedIds.length + result.woken + touchedIds.length === 0 && !hasQueued) return;
    this.#options.onCommitted({ watchedIds: result.watchedIds, hasDue: result.woken > 0 || hasQueued, touchedIds });
  }

  // Nothing was written. The runs are lost to this executor, but starts that nobody has heard of yet can go on under
  // its next id.
  async #fenced(executor: ExecutorId, batch: Batch): Promise<void> {
    const starts = batch.starts;
    batch.starts = [];
    batch.settleAll('refused');
    await this.#options.onFenced(executor);
    batch.starts = starts;
  }

  async #handle(error: unknown, batch: Batch): Promise<void> {
    const kind = kindOf(error);
    if ((kind === 'permanent' || isLockTimeout(error)) && batch.runIds.size > 1) {
      for (const ofOneRun of batch.split()) await this.#settle(ofOneRun);
      batch.clear();
      return;
    }
    if (isLockTimeout(error) && batch.starts.length === batch.size) {
      for (const start of batch.starts) this.#options.onHeldUp(start, batch.wasUncertain);
      batch.clear();
      return;
    }
    if (kind === 'permanent') return this.#reject(error, batch);
    if (kind === 'lost' || kind === 'duplicate') batch.isUncertain = batch.wasUncertain = true;
    if (kind === 'duplicate') return;
    if (isReadOnly(error)) await this.#connection?.close(); // it leads to what was the primary, and would for ever
    await this.#outage.pauseAfter(error);
  }

  #reject(error: unknown, batch: Batch): void {
    const failure = explain(error, this.#options.target);
    this.#options.logger.error({ err: failure }, 'the database refuses a write');
    for (const { giveUp } of batch.starts) giveUp(failure);
    batch.settleAll('rejected');
  }

  // Whatever keeps a connection from being made, be it a changed password, says nothing of the writes: they wait.
  async #connected(): Promise<Connection | undefined> {
    if (this.#connection?.isOpen === true) return this.#connection;
    try {
      this.#connection = await this.#options.connect();
    } catch (error) {
      await this.#outage.pauseAfter(error);
      return undefined;
    }
    if (this.#isClosed) await this.#connection.close(); // which came too late for `close`
    return this.#connection;
  }
}

function owns(written: Written, id: RunId, epoch: number): boolean {
  const run = written.findRun(id);
  return run !== undefined && run.epoch === epoch && run.status === 'running';
}

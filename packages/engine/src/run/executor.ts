// The runs of one engine in one process: started here, claimed from the database, pumped, and let go.
// Services bring it claims and bad news; the api starts runs through it. It never decides what a run does.

import { AsyncLocalStorage } from 'node:async_hooks';
import { readDatabaseTime } from '../store/database.js';
import { removeExecutor } from '../store/executors.js';
import type { Sent } from '../store/messages.js';
import { selectQueues } from '../store/queue-rows.js';
import type { KnownRuns } from '../store/queues.js';
import { PerdureError } from '../values/errors.js';
import { newExecutorId, type ExecutorId, type RunId } from '../values/ids.js';
import type { Logger } from '../values/logger.js';
import type { ContextCarrier } from './carried-context.js';
import { Adopter } from './adopter.js';
import { announceExecutor } from './announce-executor.js';
import { Clock } from './clock.js';
import { Exchange } from './exchange.js';
import type { ExecutorOptions } from './executor-options.js';
import { Interests } from './interests.js';
import { Journal } from './journal.js';
import { Mailbox } from './mailbox.js';
import { Outcomes } from './outcomes.js';
import { persist, type Persistence } from './persist.js';
import { Pump } from './pump.js';
import { QueueBook } from './queue-book.js';
import type { Run } from './run.js';
import type { ChildStart, HostedRun, Outcome, RunHost, Ticket } from './run-host.js';
import { tellFailure } from './run-workflow.js';
import { Starter } from './start-run.js';

// A step that cannot be recorded is executed again when its run comes back: not over and over.
const stuckPauseMs = 30_000;

/** One engine instance's runs. */
export class Executor implements RunHost {
  readonly clock = new Clock();
  readonly outside = AsyncLocalStorage.snapshot();
  readonly journal: Journal;
  readonly outcomes: Outcomes;
  readonly interests = new Interests();
  readonly mailbox: Mailbox;
  readonly exchange: Exchange;
  readonly starter: Starter;
  readonly adopter: Adopter;
  readonly queues: QueueBook;
  readonly options: ExecutorOptions;
  isDraining = false;
  readonly #live = new Map<RunId, Run>();
  #id: ExecutorId = newExecutorId();
  readonly #pump = new Pump((run, err) => {
    this.logger.error({ err, runId: run.id }, 'a run cannot go on here');
    this.lost(run);
  });
  #rebirth: Promise<void> | undefined;
  #isClosed = false;
  #onEmpty: (() => void)[] = [];

  constructor(options: ExecutorOptions) {
    this.options = options;
    this.outcomes = new Outcomes((id) => this.#live.has(id), options.onWatch);
    this.queues = new QueueBook(options.serveQueues, () => selectQueues(options.database));
    this.mailbox = new Mailbox(options.database, this.interests, options.onMail);
    this.exchange = new Exchange({
      ...options,
      interests: this.interests,
      mailbox: this.mailbox,
      persistence: (what) => this.persistence(what),
      onSent: (id, sent) => this.tellSent(id, sent),
    });
    this.journal = new Journal({
      connect: () => options.database.connect(),
      target: options.database.target,
      executorId: () => this.#id,
      now: () => this.clock.now(),
      onFenced: (id) => this.fenced(id),
      onCommitted: (news) => {
        this.interests.touch(news.touchedIds);
        options.onCommitted(news);
      },
      logger: options.logger,
    });
    this.starter = new Starter({
      host: this,
      database: options.database,
      registry: options.registry,
      queues: this.queues,
      transactions: options.transactions,
      room: () => this.room,
      findLive: (id) => this.#live.get(id),
      admit: (run) => this.#admit(run),
      discard: (run) => this.#discard(run, 'a run of this id was there before'),
    });
    this.adopter = new Adopter({
      host: this,
      database: options.database,
      registry: options.registry,
      journal: this.journal,
      isStill: (id) => !this.#isClosed && id === this.#id && this.#rebirth === undefined,
      findLive: (id) => this.#live.get(id),
      admit: (run) => this.#admit(run),
      discard: (run, reason) => this.#discard(run, reason),
      onCommitted: options.onCommitted,
    });
  }

  get executorId(): ExecutorId {
    return this.#id;
  }

  get logger(): Logger {
    return this.options.logger;
  }

  get parkAfterMs(): number {
    return this.options.parkAfterMs;
  }

  get maxPayloadBytes(): number {
    return this.options.maxPayloadBytes;
  }

  get carrier(): ContextCarrier | undefined {
    return this.options.carrier;
  }

  /** How many more runs it may take. */
  get room(): number {
    return this.isDraining ? 0 : Math.max(0, this.options.maxConcurrentRuns - this.#live.size);
  }

  /** The runs in memory, and a moment before which no other can have begun: the clock may have been set meanwhile. */
  get knownRuns(): KnownRuns {
    return { ids: [...this.#live.keys()], atMs: this.clock.now() - 1_000 };
  }

  /** Announces the executor to the database, and takes over its time: on an open connection, so that the answer is quick. */
  async launch(): Promise<void> {
    await announceExecutor(this.options, this.#id, this.queues.serves);
    const askedAt = performance.now();
    this.clock.set(await readDatabaseTime(this.options.database), askedAt);
  }

  /** Runs were cancelled or paused by somebody else, each told as `epoch id`: it may have been claimed again since. */
  interrupt(interruptions: readonly string[]): void {
    for (const interruption of interruptions) {
      const id = interruption.slice(interruption.indexOf(' ') + 1);
      const run = this.#live.get(id as RunId);
      if (run === undefined || run.epoch > Number.parseInt(interruption, 10)) continue;
      run.abandon(new PerdureError('RUN_CANCELLED', { id }));
      this.#remove(run);
    }
  }

  /** This executor has been declared dead: its runs are others' now. It goes on under a new id. */
  async fenced(id: ExecutorId): Promise<void> {
    if (id !== this.#id || this.#isClosed) return; // it has been told before, or has signed off
    this.#rebirth ??= this.#startAnew().finally(() => (this.#rebirth = undefined));
    await this.#rebirth;
  }

  /** How long to go on trying what must succeed. */
  persistence(what: string): Persistence {
    const onFailure = (err: unknown): void =>
      this.logger.warn({ err, executor: this.#id }, `${what} failed; trying again`);
    return { isOver: () => this.#isClosed, onFailure };
  }

  /** From now on no run is taken, no step begins, and every run is handed over once its executing steps are recorded. */
  drain(): void {
    this.isDraining = true;
    for (const run of this.#live.values()) this.schedulePump(run);
  }

  /** Whether no run is in memory. */
  get isEmpty(): boolean {
    return this.#live.size === 0;
  }

  /** Resolves when no run is in memory. */
  async whenEmpty(): Promise<void> {
    if (!this.isEmpty) await new Promise<void>((resolve) => this.#onEmpty.push(resolve));
  }

  /** Lets executing steps finish and be recorded, then hands every run over. Bounded by `timeoutMs`. */
  async close(timeoutMs: number): Promise<void> {
    this.drain();
    const timer = { id: undefined as NodeJS.Timeout | undefined };
    const timeout = new Promise<void>((resolve) => (timer.id = setTimeout(resolve, timeoutMs)));
    const drained = this.whenEmpty().then(() => this.journal.flush());
    await Promise.race([drained, timeout]);
    clearTimeout(timer.id);
    this.#isClosed = true;
    const reason = new PerdureError('STEP_ABORTED', { step: '*', reason: 'the engine was closed' });
    for (const run of this.#live.values()) run.abandon(reason);
    this.#live.clear();
    this.outcomes.close();
    this.interests.touchAll(); // whoever waits for what a run publishes sees that it is over
    await this.journal.close();
    await removeExecutor(this.options.database, this.#id).catch((err: unknown) => {
      this.logger.warn({ err }, 'the executor could not sign off; its runs are taken over when its lease is over');
    });
  }

  // ── RunHost

  schedulePump(run: HostedRun): void {
    this.#pump.schedule(run);
  }

  startChild(run: HostedRun, child: ChildStart): Promise<Ticket> {
    return this.starter.start(child, run);
  }

  onOutcome(id: RunId, callback: (outcome: Outcome | undefined) => void): () => void {
    return this.outcomes.on(id, callback);
  }

  /** A message was committed: whoever waits for it here looks at once, others are notified. */
  tellSent(runId: RunId, { isWoken }: Pick<Sent, 'isWoken'>): void {
    this.interests.touch([runId]);
    this.options.onCommitted({ watchedIds: [], touchedIds: this.#live.has(runId) ? [] : [runId], hasDue: isWoken });
  }

  finished(run: HostedRun, outcome: Outcome): void {
    run.ticket.outcome = outcome;
    if (outcome.status === 'failed') tellFailure(this.logger, this.#live.get(run.id), outcome);
    this.outcomes.tell(run.id, outcome);
    this.interests.touch([run.id]);
    this.#remove(run);
  }

  left(run: HostedRun): void {
    this.#remove(run);
  }

  lost(run: HostedRun, isStuck = false): void {
    const live = this.#live.get(run.id);
    if (live !== run || this.#isClosed) return;
    live.abandon(new PerdureError('EXECUTOR_FENCED', { executor: this.#id }));
    this.#remove(run);
    this.logger.warn({ runId: run.id, epoch: run.epoch }, 'run lost: another process owns it, or it was cancelled');
    this.release(run, isStuck ? stuckPauseMs : 0);
  }

  release({ id, epoch }: HostedRun, pauseMs = 0): void {
    const dueAtMs = this.clock.now() + pauseMs;
    const tell = (hasDue: boolean): void =>
      this.options.onCommitted({ watchedIds: [], touchedIds: [], hasDue, nextDueAtMs: dueAtMs });
    void this.exchange.release(this.#id, { id, epoch, dueAtMs }).then(
      (isDue) => isDue !== undefined && tell(isDue),
      (err: unknown) => this.logger.error({ err, runId: id }, 'releasing a run failed'),
    );
  }

  #admit(run: Run): void {
    const before = this.#live.get(run.id);
    if (before !== undefined) this.mailbox.forget(run.id); // what another claim took is for this one to receive
    this.queues.left(before?.seed.queue);
    this.queues.entered(run.seed.queue);
    this.#live.set(run.id, run);
  }

  // A run that never was here: its start found the id taken, or its queue closed, or its claim was undone.
  #discard(run: Run, reason: string): void {
    run.abandon(new PerdureError('STEP_ABORTED', { step: '*', reason }));
    this.#remove(run);
  }

  #remove(run: HostedRun): void {
    const live = this.#live.get(run.id);
    if (live !== run) return;
    this.queues.left(live.seed.queue);
    this.#live.delete(run.id);
    this.#pump.forget(run);
    this.mailbox.forget(run.id);
    this.outcomes.left(run.id);
    if (this.isEmpty) for (const tell of this.#onEmpty.splice(0)) tell();
    this.options.onRoom(live.seed.queue);
  }

  async #startAnew(): Promise<void> {
    const [before, next] = [this.#id, newExecutorId()];
    this.logger.error({ executor: before, next }, 'executor declared dead: its runs are taken over, it starts again');
    const reason = new PerdureError('EXECUTOR_FENCED', { executor: before });
    for (const run of this.#live.values()) {
      if (run.beginning !== undefined) continue; // not durable yet: nobody else can have it
      run.abandon(reason);
      this.#remove(run);
    }
    const announce = (): Promise<void> => announceExecutor(this.options, next, this.queues.serves);
    await persist(announce, this.persistence('starting again'));
    this.#id = next; // not before it is known: its first batch would find it dead
  }
}

// The engine: one value that is created, launched, used and closed. It puts the layers together and holds no logic of
// theirs.

import { findContext } from '../run/context.js';
import { Registry, type WorkflowDefinition } from '../run/definition.js';
import { FeedReader } from '../run/feed-reader.js';
import { startChildIn } from '../run/waits.js';
import { PerdureError } from '../values/errors.js';
import { checkRunId } from '../values/ids.js';
import { refuseUnknown, requireList } from '../values/unknown-options.js';
import { closeParts, launchParts, type Parts } from './assemble.js';
import { registerClass } from './decorators.js';
import type { DriveOptions, DriveReport } from './drive.js';
import { getEvent, type Event, type GetEventOptions } from './event.js';
import { RunHandle } from './handle.js';
import { checkHealth, type Health } from './health.js';
import type { Runs } from './manage.js';
import { refuseKey, type Idempotent } from './idempotency.js';
import { refuseInWorkflow, startOneInTransaction, type InTransaction } from './in-transaction.js';
import { checkOptions, closeTimeoutOf, listOf, type CloseOptions, type EngineOptions } from './options.js';
import { readEvent, sendFromOutside } from './outside.js';
import type { Queues } from './queues.js';
import type { Schedules } from './schedules.js';
import { startMany, type BulkStart } from './start-many.js';
import {
  definitionOf,
  findCallingRun,
  readArguments,
  toNewRun,
  type Startable,
  type StartArguments,
  type StartOptions,
} from './start.js';
import { definitionOfStep, type Step } from './step.js';
import { followStream, type ReadStreamOptions, type Stream, type StreamChunk } from './stream.js';
import { checkSend, send, type SendOptions, type Topic } from './topic.js';
import { watchRun, type RunChange, type WatchOptions } from './watch.js';
import type { WorkflowReference } from './workflow.js';

/** Durable runs on one Postgres, in this process. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #registry = new Registry();
  #launching: Promise<Parts> | undefined;
  #parts: Parts | undefined;
  #closing: Promise<void> | undefined;
  #isDrained = false;
  #feeds: FeedReader | undefined;

  /** @internal Use `createEngine`. */
  constructor(options: EngineOptions) {
    this.#options = options;
    const names = new Map<string, unknown>();
    for (const step of listOf(options.steps, 'steps')) this.#registry.register(definitionOfStep(step));
    for (const workflow of listOf(options.workflows, 'workflows')) {
      const definition = registerClass(workflow) ?? definitionOf(workflow);
      const key = `${definition.name}@${definition.version}`;
      if (names.has(key) && names.get(key) !== definition)
        throw new PerdureError('WORKFLOW_DUPLICATE', { workflow: definition.name });
      names.set(key, definition);
      this.#registry.register(definition);
    }
  }

  /** Looking at runs and steering them. */
  get runs(): Runs {
    return this.#require('runs').runs;
  }

  /** Looking at queues and steering them. */
  get queues(): Queues {
    return this.#require('queues').queues;
  }

  /** Looking at schedules and steering them. */
  get schedules(): Schedules {
    return this.#require('schedules').schedules;
  }

  /**
   * Connects, applies missing migrations, and begins to run what is due. Once is enough; again is no harm.
   * Throws CONFIG_INVALID, DATABASE_UNREACHABLE, DATABASE_READ_ONLY, DATABASE_REFUSED, SCHEMA_MISSING, SCHEMA_TOO_NEW,
   * MIGRATION_FAILED, ENGINE_CLOSED.
   */
  async launch(): Promise<this> {
    if (this.#closing !== undefined) throw new PerdureError('ENGINE_CLOSED', { operation: 'launch' });
    this.#launching ??= this.#launch();
    try {
      this.#parts = await this.#launching;
    } catch (error) {
      this.#launching = undefined; // so that it can be tried again
      throw error;
    }
    return this;
  }

  /**
   * Makes a workflow known, also after the launch; the same name and version again replaces it for runs that start or
   * go on from now. Takes a workflow, a contract, or an instance of a class with `@Workflow`.
   */
  register(workflow: WorkflowReference<never, unknown> | object): this {
    this.#registry.register(registerClass(workflow) ?? definitionOf(workflow as WorkflowReference<never, unknown>));
    this.#parts?.services.claims.poke(); // runs of it may be waiting for a host
    return this;
  }

  /**
   * Starts a run. Once this has resolved, the run reaches its outcome as long as any process that hosts its workflow is alive.
   * The same id again is the same run. Inside workflow code the start is recorded as part of the calling run.
   * Throws INPUT_INVALID, UNSERIALIZABLE, PAYLOAD_TOO_LARGE, OPTION_INVALID, QUEUE_UNKNOWN, RUN_ID_INVALID, RUN_ID_CONFLICT,
   * RUN_EXISTS, DEDUP_CONFLICT, IDEMPOTENCY_KEY_REUSED, TRANSACTION_UNUSABLE, ENGINE_NOT_LAUNCHED, ENGINE_CLOSED, and
   * START_UNCONFIRMED when the database went away meanwhile.
   *
   * With `transaction`, a client of `pg` in a transaction that you have begun, the run exists exactly if that commits.
   *
   * @example
   * const run = await engine.startWorkflow(checkout, { sku: 'A-1' }, { id: 'order-7' });
   */
  startWorkflow<Input, Output>(
    workflow: Startable<Input, Output>,
    ...startArguments: StartArguments<Input, StartOptions & InTransaction & Idempotent>
  ): Promise<RunHandle<Output>> {
    return this.#start(() => definitionOf(workflow), startArguments);
  }

  /**
   * Starts a step as a run of its own, in a process that has it among its `steps`. Its retries and timeout hold as in a workflow;
   * its arguments are recorded. Throws what `startWorkflow` throws.
   *
   * @example
   * await engine.startStep(sendMail, [user.email, 'Welcome'], { queue: mail });
   */
  async startStep<Args extends readonly unknown[], Result>(
    step: Step<Args, Result>,
    args: NoInfer<Args>,
    options: StartOptions & InTransaction = {},
  ): Promise<RunHandle<Result>> {
    return this.#start(() => definitionOfStep(step), [requireList(args, 'args'), options]);
  }

  async #start<Output>(
    define: () => WorkflowDefinition,
    startArguments: readonly unknown[],
  ): Promise<RunHandle<Output>> {
    const { input, options } = readArguments(startArguments);
    const definition = define();
    const parts = this.#require('startWorkflow');
    const { executor, runs } = parts;
    if (options.transaction !== undefined) refuseInWorkflow(options.transaction);
    const caller = findCallingRun(executor);
    if (caller !== undefined || options.transaction !== undefined) refuseKey(options);
    const newRun = toNewRun(definition, input, options, executor);
    if (caller !== undefined) {
      const id = await startChildIn(caller, definition.name, newRun);
      return new RunHandle(executor, runs, { id, isNew: true, outcome: undefined });
    }
    const ticket =
      options.transaction === undefined
        ? await executor.starter.start(await newRun)
        : await startOneInTransaction(parts, options.transaction, await newRun);
    if (options.onDuplicate === 'reject' && !ticket.isNew) {
      throw new PerdureError('RUN_EXISTS', { id: ticket.id, workflow: definition.name });
    }
    return new RunHandle<Output>(executor, runs, ticket);
  }

  /**
   * Starts many runs of a workflow, in this order: one statement per thousand, which any process may run. All of them are checked
   * before the first is started. Safe to repeat with the same ids. Throws what `startWorkflow` throws.
   *
   * @example
   * const runs = await engine.startWorkflows(indexPage, pages.map((page) => ({ input: page, queue: indexing })));
   */
  async startWorkflows<Input, Output>(
    workflow: Startable<Input, Output>,
    starts: readonly BulkStart<Input>[],
    options: InTransaction = {},
  ): Promise<readonly RunHandle<Output>[]> {
    const parts = this.#require('startWorkflows');
    const { executor, runs } = parts;
    refuseUnknown(options, { transaction: true }, 'starts of many together');
    const tickets = await startMany(parts, { ...options, definition: definitionOf(workflow), starts });
    return tickets.map((ticket) => new RunHandle<Output>(executor, runs, ticket));
  }

  /**
   * The handle of a run that was started anywhere. Whether there is such a run shows when the handle is used.
   * Throws RUN_ID_INVALID.
   */
  getHandle<Output = unknown>(id: string, _workflow?: Startable<never, Output>): RunHandle<Output> {
    const { executor, runs } = this.#require('getHandle');
    return new RunHandle<Output>(executor, runs, { id: checkRunId(id), isNew: false, outcome: undefined });
  }

  /**
   * Sends a message to a run, from outside of runs or from a step. Resolves when it is durable.
   * Throws RUN_NOT_FOUND, RUN_STATE_CONFLICT for a finished run, IDEMPOTENCY_KEY_REUSED, OPTION_INVALID, INPUT_INVALID, UNSERIALIZABLE, PAYLOAD_TOO_LARGE.
   *
   * @example
   * await engine.send('order-7', approval, { approved: true });
   */
  async send<Message>(
    id: string,
    to: Topic<Message>,
    message: Message,
    options: SendOptions & InTransaction = {},
  ): Promise<void> {
    const parts = this.#require('send');
    checkSend(options);
    if (options.transaction !== undefined) refuseInWorkflow(options.transaction);
    if (findCallingRun(parts.executor) !== undefined) return send(id, to, message, options);
    await sendFromOutside(parts, { id, to, message, options });
  }

  /**
   * The value that a run has published, waiting until there is one; undefined when the time is up, or when the run has
   * ended without it. Throws RUN_NOT_FOUND, OPTION_INVALID, DURATION_INVALID.
   */
  async getEvent<Value>(id: string, of: Event<Value>, options: GetEventOptions = {}): Promise<Value | undefined> {
    const { executor } = this.#require('getEvent');
    if (findCallingRun(executor) !== undefined) return getEvent(id, of, options);
    return readEvent({ executor }, { id, of, options });
  }

  /**
   * Follows a stream of a run: yields what is there and what comes, and ends when the stream is closed or the run is over.
   * Throws RUN_NOT_FOUND, READ_TIMED_OUT, OPTION_INVALID, DURATION_INVALID.
   *
   * @example
   * for await (const { position, value } of engine.readStream(run.id, tokens)) process.stdout.write(value);
   */
  readStream<Value>(
    id: string,
    of: Stream<Value>,
    options: ReadStreamOptions = {},
  ): AsyncGenerator<StreamChunk<Value>, void, undefined> {
    return followStream(this.#require('readStream'), { id, of }, options);
  }

  /**
   * Watches a run from anywhere until it is over: its state as it stands, its events and streams whole, in the order of its history, once.
   * Throws RUN_ID_INVALID, RUN_NOT_FOUND, ENGINE_CLOSED, OPTION_INVALID.
   *
   * @example
   * for await (const change of engine.watch(run.id)) console.log(change.kind, change.position);
   */
  watch(id: string, options: WatchOptions = {}): AsyncGenerator<RunChange, void, undefined> {
    const { executor, database } = this.#require('watch');
    this.#feeds ??= new FeedReader(database);
    return watchRun({ executor, feeds: this.#feeds }, id, options);
  }

  /**
   * Runs what is due, for hosts whose processes live only as long as requests: until nothing is left to do now, or until the budget is spent.
   * An engine that is `driven` then hands over the rest. Safe to repeat, at the same time as well. Throws OPTION_INVALID, DURATION_INVALID, ENGINE_CLOSED.
   *
   * @example
   * const { isIdle } = await engine.drive({ budget: '20s' });
   */
  async drive(options: DriveOptions): Promise<DriveReport> {
    return this.#require('drive').driver.drive(options);
  }

  /**
   * How this engine is doing: whether the database answers, the age of the last heartbeat, runs in memory, and runs that
   * nobody can claim. Never throws once the engine is launched, and takes five seconds at most.
   */
  async health(): Promise<Health> {
    const { database, executor, stranded } = this.#require('health');
    return checkHealth(database, executor, stranded);
  }

  /**
   * Ends the engine's work here: nothing new begins, executing steps may end and are recorded, and every unfinished run is
   * handed over at once. Never ends the process. Safe to repeat. Throws OPTION_INVALID, DURATION_INVALID.
   */
  async close(options: CloseOptions = {}): Promise<void> {
    const timeoutMs = closeTimeoutOf(options);
    this.#closing ??= this.#close(timeoutMs);
    await this.#closing;
  }

  async #close(timeoutMs: number): Promise<void> {
    const parts = await this.#launching?.catch(() => undefined);
    if (parts !== undefined) await closeParts(parts, timeoutMs, () => (this.#isDrained = true));
  }

  async #launch(): Promise<Parts> {
    return launchParts(checkOptions(this.#options), this.#registry);
  }

  #require(operation: string): Parts {
    // Until the last step has ended, the code of runs may go on: an error would become their outcome.
    const isOver = this.#closing !== undefined && (this.#isDrained || findContext() === undefined);
    if (isOver) throw new PerdureError('ENGINE_CLOSED', { operation });
    if (this.#parts === undefined) throw new PerdureError('ENGINE_NOT_LAUNCHED', { operation });
    return this.#parts;
  }
}

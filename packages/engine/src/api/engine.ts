// The engine: one value that is created, launched, used and closed. It puts the layers together and holds no logic of
// theirs.

import { Registry } from '../run/definition.js';
import { Executor } from '../run/executor.js';
import { startChildIn } from '../run/waits.js';
import { findContext } from '../run/context.js';
import { claimer, type Claimer } from '../services/claimer.js';
import { heartbeatService, recoveryService } from '../services/heartbeat.js';
import { Listener } from '../services/listener.js';
import { channelOf, Notifier, type News } from '../services/notifier.js';
import type { Service } from '../services/service.js';
import { strandedWatch } from '../services/stranded.js';
import { watcher } from '../services/watcher.js';
import { Database } from '../store/database.js';
import { migrate } from '../store/migrate.js';
import { parseDuration, type Duration } from '../values/duration.js';
import { PerdureError } from '../values/errors.js';
import { checkRunId, type RunId } from '../values/ids.js';
import { registerClass } from './decorators.js';
import { RunHandle } from './handle.js';
import { Runs } from './manage.js';
import { checkOptions, type EngineOptions, type Settings } from './options.js';
import { definitionOf, findCallingRun, readArguments, toNewRun, type Startable, type StartArguments } from './start.js';
import type { WorkflowReference } from './workflow.js';

/** Options of closing. */
export interface CloseOptions {
  /** How long executing steps may take to end. Then their signals fire and their runs are handed over. Default: 30s. */
  readonly timeout?: Duration;
}

interface Parts {
  readonly database: Database;
  readonly executor: Executor;
  readonly runs: Runs;
  readonly notifier: Notifier;
  readonly listener: Listener | undefined;
  readonly claims: Service;
  readonly services: readonly Service[];
}

/**
 * An engine. Nothing happens before `launch`.
 *
 * @example
 * const engine = createEngine({ database: process.env.DATABASE_URL, workflows: [checkout] });
 * await engine.launch();
 * const run = await engine.startWorkflow(checkout, order, { id: `order-${order.id}` });
 * console.log(await run.result());
 * await engine.close();
 */
export function createEngine(options: EngineOptions): Engine {
  return new Engine(options);
}

/** Durable runs on one Postgres, in this process. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #registry = new Registry();
  #launching: Promise<Parts> | undefined;
  #parts: Parts | undefined;
  #closing: Promise<void> | undefined;
  #isDrained = false;

  /** @internal Use `createEngine`. */
  constructor(options: EngineOptions) {
    this.#options = options;
    const names = new Map<string, unknown>();
    for (const workflow of options.workflows ?? []) {
      const definition = definitionOf(workflow);
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
    this.#parts?.claims.poke(); // runs may be waiting for it
    for (const service of this.#parts?.services ?? []) service.poke(); // runs of it may be waiting for a host
    return this;
  }

  /**
   * Starts a run. Once this has resolved, the run reaches its outcome as long as any process that hosts its workflow is alive.
   * The same id again is the same run. Inside workflow code the start is recorded as part of the calling run.
   * Throws INPUT_INVALID, UNSERIALIZABLE, PAYLOAD_TOO_LARGE, RUN_ID_INVALID, RUN_ID_CONFLICT, RUN_EXISTS,
   * ENGINE_NOT_LAUNCHED, ENGINE_CLOSED, and START_UNCONFIRMED when the database went away meanwhile.
   *
   * @example
   * const run = await engine.startWorkflow(checkout, { sku: 'A-1' }, { id: 'order-7' });
   */
  async startWorkflow<Input, Output>(
    workflow: Startable<Input, Output>,
    ...startArguments: StartArguments<Input>
  ): Promise<RunHandle<Output>> {
    const { input, options } = readArguments(startArguments);
    const { executor, runs } = this.#require('startWorkflow');
    const definition = definitionOf(workflow);
    const caller = findCallingRun(executor);
    const newRun = toNewRun(definition, input, options, executor.maxPayloadBytes);
    if (caller !== undefined) {
      const id = await startChildIn(caller, definition.name, newRun);
      return new RunHandle(executor, runs, { id, isNew: true, outcome: undefined });
    }
    const ticket = await executor.starter.start(await newRun);
    if (options.onDuplicate === 'reject' && !ticket.isNew) {
      throw new PerdureError('RUN_EXISTS', { id: ticket.id, workflow: definition.name });
    }
    return new RunHandle<Output>(executor, runs, ticket);
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
   * Ends the engine's work here: nothing new begins, executing steps may end and are recorded, and every unfinished run is
   * handed over at once. Never ends the process. Safe to repeat.
   */
  async close({ timeout = '30s' }: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(parseDuration(timeout, 'timeout'));
    await this.#closing;
  }

  async #launch(): Promise<Parts> {
    const settings = checkOptions(this.#options);
    const database = await Database.open(settings.database);
    try {
      await migrate(database, settings.mayMigrate);
      const parts = this.#assemble(database, settings);
      await parts.executor.launch();
      parts.listener?.start();
      for (const service of parts.services) service.start();
      return parts;
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  #assemble(database: Database, settings: Settings): Parts {
    const { logger, leaseMs, maxRecoveries } = settings;
    const channel = channelOf(settings.database.schema);
    const notifier = new Notifier(database, channel, logger);
    const pollMs = (): number => settings.pollMs ?? (listener?.isListening === true ? 5_000 : 1_000);
    const tell = (news: News): void => {
      if (settings.mayListen) notifier.tell(news);
      if (news.due === true) claims.service.poke();
    };
    const executor = new Executor({
      ...settings,
      database,
      registry: this.#registry,
      onCommitted: ({ watchedIds, hasDue, nextDueAtMs = Infinity }) => {
        tell({ ended: watchedIds, due: hasDue ? true : undefined });
        // The others find it by their polls, in case this process dies.
        if (nextDueAtMs < Infinity) claims.service.pokeWithin(nextDueAtMs - executor.clock.now());
      },
      onWatch: () => watches.poke(),
      onRoom: () => claims.onRoom(),
    });
    const claims: Claimer = claimer({ database, executor, pollMs });
    const watches = watcher({ database, executor, pollMs });
    const recoveries = recoveryService({
      database,
      maxRecoveries,
      logger,
      // The failed ones may have woken others.
      onRecovered: (_runs, failedIds) => tell({ due: true, ended: failedIds }),
    });
    const heartbeats = heartbeatService({ database, executor, leaseMs, onDead: () => recoveries.poke() });
    const listener =
      settings.mayListen && database.canListen
        ? this.#listen(database, channel, executor, [claims.service, watches], settings)
        : undefined;
    const services = [heartbeats, recoveries, claims.service, watches, strandedWatch(database, logger).service];
    const runs = new Runs(database, executor, tell);
    return { database, executor, runs, notifier, listener, claims: claims.service, services };
  }

  #listen(
    database: Database,
    channel: string,
    executor: Executor,
    pollers: readonly Service[],
    { logger }: Settings,
  ): Listener {
    const [claims, watches] = pollers;
    return new Listener({
      connect: () => database.connectDirect(),
      channel,
      logger,
      onNews: ({ due, ended = [], cut = [] }) => {
        if (due === true) claims?.poke();
        if (cut.length > 0) executor.interrupt(cut);
        if (ended.some((id) => executor.outcomes.has(id as RunId))) watches?.poke();
      },
      onGap: () => {
        for (const poller of pollers) poller.poke();
      },
    });
  }

  async #close(timeoutMs: number): Promise<void> {
    const parts = await this.#launching?.catch(() => undefined);
    if (parts === undefined) return;
    const { executor, listener, notifier, services, database } = parts;
    const [heartbeats, ...others] = services;
    executor.isDraining = true;
    const until = performance.now() + timeoutMs;
    await within(timeoutMs, Promise.all(others.map((service) => service.stop())));
    await executor.close(Math.max(0, until - performance.now()));
    this.#isDrained = true;
    await heartbeats?.stop();
    notifier.tell({ due: true });
    await Promise.all([notifier.close(), listener?.stop()]);
    await database.close();
  }

  #require(operation: string): Parts {
    // Until the last step has ended, the code of runs may go on: an error would become their outcome.
    const isOver = this.#closing !== undefined && (this.#isDrained || findContext() === undefined);
    if (isOver) throw new PerdureError('ENGINE_CLOSED', { operation });
    if (this.#parts === undefined) throw new PerdureError('ENGINE_NOT_LAUNCHED', { operation });
    return this.#parts;
  }
}

// A service may be in the middle of a statement that the database does not answer.
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work, timeout]);
  clearTimeout(timer);
}

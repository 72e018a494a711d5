// The engine of a Next application: defined in one file, booted by instrumentation.ts, used everywhere.

import { setTimeout as delay } from 'node:timers/promises';
import {
  consoleLogger,
  createEngine,
  isPerdureError,
  PerdureError,
  type Duration,
  type Engine,
  type InTransaction,
  type RunHandle,
  type SendOptions,
  type Startable,
  type StartArguments,
  type StartOptions,
  type Topic,
} from 'perdure';
import { drainOnSignals } from './drain-on-signals.js';
import { keep, keptState, type Boot, type Kept } from './kept.js';
import type { NextOptions } from './options.js';

/**
 * Defines the engine of a Next application, in a file of its own that routes, server actions, pages and `instrumentation.ts` import. Nothing
 * is connected here, so that `next build` may evaluate it. Evaluated again, by another entry point or a hot reload, it stands for the
 * same engine and replaces the definitions of workflows, queues and schedules; other options count from the next start of the process.
 * Throws OPTION_INVALID.
 *
 * @example
 * export const perdure = definePerdure({ database: process.env.DATABASE_URL, workflows: [checkout], queues: [mail] });
 */
export function definePerdure(options: NextOptions): Perdure {
  checkOptions(options);
  const name = options.name ?? 'default';
  const kept = keep(name, options);
  if (kept.engine !== undefined) reload(kept.engine, options);
  return new Perdure(name, kept);
}

/** The engine of a Next application. */
export class Perdure {
  readonly name: string;
  readonly #kept: Kept;

  /** @internal Use `definePerdure`. */
  constructor(name: string, kept: Kept) {
    this.name = name;
    this.#kept = kept;
  }

  /**
   * Launches the engine, and drains it when the process is told to end, before Next ends it. Belongs into `instrumentation.ts`; once per
   * process is enough, again is no harm. In production it waits for a database that cannot be reached. Throws what `engine.launch` throws.
   *
   * @example
   * export async function register() {
   *   if (process.env.NEXT_RUNTIME === 'nodejs') await (await import('./perdure')).perdure.boot();
   * }
   */
  async boot(): Promise<void> {
    const kept = this.#kept;
    const boot = kept.boot === undefined || kept.boot.isLeaving ? beginBoot(kept) : kept.boot;
    kept.boot = boot;
    try {
      await boot.engine;
    } catch (error) {
      if (kept.boot === boot) kept.boot = undefined; // so that it can be tried again
      throw error;
    }
  }

  /** The launched engine. Throws ENGINE_NOT_BOOTED. */
  async engine(): Promise<Engine> {
    const { boot } = this.#kept;
    if (boot !== undefined) return boot.engine;
    throw new PerdureError('ENGINE_NOT_BOOTED', { name: this.name, isBuild: isBuild() });
  }

  /**
   * Starts a run: from a route handler, a server action, an API route. What `engine.startWorkflow` does. Call `redirect()` and its like after
   * it, and outside of any `try`. Throws ENGINE_NOT_BOOTED and what `engine.startWorkflow` throws.
   *
   * @example
   * const run = await perdure.startWorkflow(checkout, order, { id: `order-${order.id}` });
   * redirect(`/orders/${run.id}`);
   */
  async startWorkflow<Input, Output>(
    workflow: Startable<Input, Output>,
    ...startArguments: StartArguments<Input, StartOptions & InTransaction>
  ): Promise<RunHandle<Output>> {
    return (await this.engine()).startWorkflow(workflow, ...startArguments);
  }

  /** Sends a message to a run. What `engine.send` does. Throws ENGINE_NOT_BOOTED and what `engine.send` throws. */
  async send<Message>(
    id: string,
    to: Topic<Message>,
    message: Message,
    options: SendOptions & InTransaction = {},
  ): Promise<void> {
    await (await this.engine()).send(id, to, message, options);
  }

  /**
   * Runs what is due, for as long as the budget lasts, and hands over the rest: for hosts whose processes live only as long as requests, with
   * Next's `after` and the option `driven`. Throws ENGINE_NOT_BOOTED, OPTION_INVALID, DURATION_INVALID.
   *
   * @example
   * const run = await perdure.startWorkflow(checkout, order);
   * after(() => perdure.drive({ budget: '10s' }));
   */
  async drive(options: { readonly budget: Duration }): Promise<void> {
    await (await this.engine()).drive(options);
  }

  /** Drains and closes the engine, as signals do; the process may boot it again. For tests and custom servers. */
  async close(): Promise<void> {
    const kept = this.#kept;
    const { boot } = kept;
    if (boot !== undefined) boot.isLeaving = true;
    kept.engine = undefined;
    try {
      await close(kept);
    } finally {
      if (kept.boot === boot) kept.boot = undefined;
    }
  }

  /** @internal */
  get kept(): Kept {
    return this.#kept;
  }
}

function checkOptions(options: NextOptions): void {
  const name: unknown = typeof options === 'object' && options !== null ? (options.name ?? 'default') : undefined;
  if (typeof name === 'string' && name !== '') return;
  const reason = 'give an object, as { database }, with text for its name if it has one';
  throw new PerdureError('OPTION_INVALID', { option: 'options', value: options, reason });
}

function beginBoot(kept: Kept): Boot {
  const ending = new AbortController();
  return { ending, engine: launch(kept, ending), isLeaving: false };
}

async function launch(kept: Kept, ending: AbortController): Promise<Engine> {
  const engine = await launchWithPatience(kept, ending);
  if (ending.signal.aborted) return engine; // which whoever has ended this boot closes
  kept.engine = engine;
  const state = keptState();
  if (!state.drainsOnSignals) {
    state.drainsOnSignals = true;
    drainOnSignals(async () => {
      await Promise.all([...state.engines.values()].map(close));
    });
  }
  return engine;
}

// Told to end, the process must not go on trying: Next waits for requests that wait for us. Where nobody else listens to a signal, its default
// action ends the process, and must not be kept from it.
async function launchWithPatience(kept: Kept, ending: AbortController): Promise<Engine> {
  const told = new AbortController();
  const tell = (): void => told.abort();
  const signals = (['SIGTERM', 'SIGINT'] as const).filter((signal) => process.listenerCount(signal) > 0);
  for (const signal of signals) process.on(signal, tell);
  try {
    return await launchUntil(AbortSignal.any([ending.signal, told.signal]), kept);
  } finally {
    for (const signal of signals) process.removeListener(signal, tell);
  }
}

// Next calls `register` once. Were it refused, the server would stay and answer 500 to every request, also when the database is back.
async function launchUntil(end: AbortSignal, kept: Kept): Promise<Engine> {
  for (;;) {
    const { name: _name, shutdownTimeout: _timeout, ...options } = kept.options;
    try {
      return await createEngine(options).launch();
    } catch (err) {
      const isWorthWaiting = process.env['NODE_ENV'] === 'production' && isPerdureError(err, 'DATABASE_UNREACHABLE');
      if (!isWorthWaiting || end.aborted) throw err;
      const { logger = consoleLogger() } = options;
      logger.warn({ err }, 'the engine is not booted, and requests wait: it tries again every 2 seconds');
      await delay(2000, undefined, { signal: end }).catch(() => {
        throw err;
      });
    }
  }
}

async function close(kept: Kept): Promise<void> {
  const { boot, options } = kept;
  const handlers = [...kept.handlers];
  kept.handlers.clear();
  boot?.ending.abort();
  await Promise.all(handlers.map((handler) => handler.close()));
  const engine = await boot?.engine.catch(() => undefined); // a boot that failed leaves nothing to close
  await engine?.close({ timeout: options.shutdownTimeout ?? '20s' });
}

function reload(engine: Engine, options: NextOptions): void {
  const { workflows = [], logger = consoleLogger() } = options;
  for (const workflow of workflows) engine.register(workflow);
  declareAgain(engine, options).catch((err: unknown) => {
    logger.warn({ err }, 'changed queues or schedules could not be declared');
  });
}

async function declareAgain({ queues: known, schedules: served }: Engine, options: NextOptions): Promise<void> {
  const { queues = [], schedules = [] } = options;
  for (const queue of queues) await known.declare(queue);
  await served.declare(schedules); // which may be in these queues
}

function isBuild(): boolean {
  return process.env['NEXT_PHASE'] === 'phase-production-build';
}

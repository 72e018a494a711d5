// Makes an engine of what the module is configured with and what the application declares.

import { createEngine, PerdureError, type Engine, type EngineOptions, type Logger } from 'perdure';
import type { Found, PerdureExplorer } from './explorer.js';
import { isEngineLogger, nestLogger } from './nest-logger.js';
import type { PerdureModuleOptions } from './options.js';
import type { RunInvoker } from './run-invoker.js';
import { PerdureWorker } from './worker.js';

/** What the core module shares with the worker module. */
export interface Runtime {
  readonly engine: Engine;
  readonly options: PerdureModuleOptions;
  readonly invoker: RunInvoker;
  readonly explore: () => Found;
  /** Set once the worker module is there. */
  worker?: PerdureWorker;
}

/** What a runtime is opened with. */
export interface RuntimeParts {
  readonly name: string;
  readonly options: PerdureModuleOptions;
  readonly explorer: PerdureExplorer;
  readonly invoker: RunInvoker;
}

/**
 * Launches the engine, with schedules and queues but without any workflow: so runs can be started from `onModuleInit`, and none begins
 * before the application is complete. Throws CONFIG_INVALID, OPTION_INVALID before anything is connected.
 */
export async function openRuntime({ name, options, explorer, invoker }: RuntimeParts): Promise<Runtime> {
  checkOptions(options);
  const explore = (): Found => explorer.explore(name);
  const found = explore();
  if (isEngine(options.engine))
    for (const schedule of found.schedules) found.faults.add('SCHEDULE_ON_READY_ENGINE', { schedule: schedule.name });
  found.faults.throwIfAny();
  const engine = await makeEngine(options, found);
  await engine.launch();
  if (isEngine(options.engine)) for (const queue of found.queues) await engine.queues.declare(queue);
  return { engine, options, invoker, explore };
}

// What createEngine does not see, or sees only when it has been worked with. Of misspelt options it warns.
function checkOptions(options: PerdureModuleOptions): void {
  const { engine, worker } = options;
  if (engine !== undefined && typeof engine !== 'function' && !('startWorkflow' in Object(engine)))
    throw invalid('engine', engine, 'give an engine, or a function that makes one of the options');
  if (worker !== undefined && typeof worker !== 'boolean')
    throw invalid('worker', worker, 'it is neither true nor false');
  for (const option of ['workflows', 'queues', 'schedules'] as const) {
    const list: unknown = options[option];
    if (list !== undefined && !Array.isArray(list)) throw invalid(option, list, 'give a list');
  }
}

function invalid(option: string, value: unknown, reason: string): PerdureError {
  return new PerdureError('OPTION_INVALID', { option, value, reason });
}

/** The worker of a runtime, which it is told of. */
export function makeWorker(runtime: Runtime): PerdureWorker {
  const logger = loggerOf(runtime.options);
  const worker = new PerdureWorker({ ...runtime, warn: (message) => logger.warn({}, message) });
  runtime.worker = worker;
  return worker;
}

async function makeEngine(options: PerdureModuleOptions, found: Found): Promise<Engine> {
  const { engine = createEngine } = options;
  return typeof engine === 'function' ? engine(engineOptions(options, found)) : engine;
}

function engineOptions(options: PerdureModuleOptions, found: Found): EngineOptions {
  const { engine: _engine, worker = true, shutdownTimeout: _timeout, workflows: _workflows, ...rest } = options;
  return {
    ...rest,
    database: options.database,
    queues: [...(options.queues ?? []), ...found.queues],
    schedules: worker ? [...(options.schedules ?? []), ...found.schedules] : [],
    logger: loggerOf(options),
  };
}

function loggerOf({ logger }: PerdureModuleOptions): Logger {
  return logger !== undefined && isEngineLogger(logger) ? logger : nestLogger(logger);
}

function isEngine(engine: PerdureModuleOptions['engine']): engine is Engine {
  return typeof engine === 'object';
}

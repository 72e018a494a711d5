// What the module is configured with.

import type { LoggerService } from '@nestjs/common';
import type { Duration, Engine, EngineOptions, Logger } from 'perdure';

/** Makes an engine of the options that the module has gathered. */
export type EngineFactory = (options: EngineOptions) => Engine | Promise<Engine>;

/** Options of `PerdureModule`: those of the engine, and a few of Nest's. One of `database` and `engine` is needed. */
export interface PerdureModuleOptions extends Omit<Partial<EngineOptions>, 'logger'> {
  /**
   * An engine that you have made, which the module launches and closes; or a function that makes it of the options that the module
   * has gathered, schedules and queues included. Default: `createEngine`.
   */
  readonly engine?: Engine | EngineFactory;
  /**
   * Whether this process runs workflows. Without, it starts and observes them, and leaves schedules to others: an API process
   * beside workers of the same code. Default: true.
   */
  readonly worker?: boolean;
  /** Where the engine logs to: a logger as the engine takes it, pino for instance, or one of Nest's. Default: Nest's own. */
  readonly logger?: Logger | LoggerService;
  /** How long executing steps may take to end when the application closes. Default: 30s. */
  readonly shutdownTimeout?: Duration;
}

/** What has to be known before the options are. */
export interface PerdureModuleExtras {
  /** The name of the engine, for applications with several. Default: none. */
  readonly name?: string;
  /** Whether every module can inject the engine and its workflows. Default: true. */
  readonly isGlobal?: boolean;
}

/** For `forRootAsync({ useClass })` and `useExisting`. */
export interface PerdureOptionsFactory {
  createPerdureOptions(): PerdureModuleOptions | Promise<PerdureModuleOptions>;
}

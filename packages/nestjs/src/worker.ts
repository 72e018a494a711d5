// Runs the workflows of one engine. Its module boots after every other and is destroyed before them: no run begins before the
// application is complete, and all that runs has ended before a provider goes away.

import type { OnApplicationBootstrap, OnApplicationShutdown, OnModuleDestroy } from '@nestjs/common';
import { describeWorkflow, implement, type Engine, type Startable } from 'perdure';
import type { Found, FoundWorkflow } from './explorer.js';
import type { PerdureModuleOptions } from './options.js';
import { lackOf, type RunInvoker } from './run-invoker.js';

/** What a worker is made of. */
export interface WorkerParts {
  readonly engine: Engine;
  readonly options: PerdureModuleOptions;
  readonly invoker: RunInvoker;
  /** Looks through the application. */
  readonly explore: () => Found;
  readonly warn: (message: string) => void;
}

/** Hosts the workflows of the application. `moduleRef.get(getWorkerToken())` gives it. */
export class PerdureWorker implements OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown {
  readonly #parts: WorkerParts;
  readonly #hosted = new Set<string>();
  #isBooted = false;

  /** @internal */
  constructor(parts: WorkerParts) {
    this.#parts = parts;
  }

  /** @internal Called by Nest, after every other module. */
  async onApplicationBootstrap(): Promise<void> {
    this.#isBooted = true;
    try {
      this.refresh();
    } catch (error) {
      await this.#close(); // nobody closes an application that has not booted
      throw error;
    }
  }

  /** @internal Called by Nest, before every other module. */
  async onModuleDestroy(): Promise<void> {
    if (this.#parts.options.worker !== false) await this.#close();
  }

  /** @internal Called by Nest, after the last request: a process that runs nothing accepts starts until then. */
  async onApplicationShutdown(): Promise<void> {
    await this.#close();
  }

  /**
   * Looks for workflows anew and hosts what has come since: call it after a module was loaded lazily. Schedules and queues of such
   * a module are not declared. Throws CONFIG_INVALID.
   */
  refresh(): void {
    const { engine, options, explore } = this.#parts;
    if (options.worker === false || !this.#isBooted) return;
    const { workflows, faults } = explore();
    const fresh = workflows.filter(({ workflow }) => !this.#hosted.has(keyOf(workflow)));
    const bound = fresh.map((found) => ({ found, code: this.#bind(found, faults) }));
    faults.throwIfAny();
    for (const each of this.#hosted.size === 0 ? (options.workflows ?? []) : []) engine.register(each);
    for (const { found, code } of bound) {
      if (code !== undefined) engine.register(implement(found.workflow as Startable<unknown, unknown>, code));
      this.#hosted.add(keyOf(found.workflow));
    }
  }

  /** @internal A run of a class is started: somebody has to run it. */
  onStart(workflow: Startable<never, unknown>): void {
    const isClass = typeof workflow === 'function' && 'run' in Object(workflow.prototype);
    if (!isClass || this.#parts.options.worker === false || !this.#isBooted || this.#hosted.has(keyOf(workflow)))
      return;
    this.refresh();
    if (this.#hosted.has(keyOf(workflow))) return;
    this.#hosted.add(keyOf(workflow)); // said once
    const { name } = describeWorkflow(workflow);
    this.#parts.warn(`no module provides ${workflow.name}: runs of "${name}" wait for a process that does`);
  }

  async #close(): Promise<void> {
    const { engine, options } = this.#parts;
    await engine.close(options.shutdownTimeout === undefined ? {} : { timeout: options.shutdownTimeout });
  }

  #bind(found: FoundWorkflow, faults: Found['faults']): ReturnType<RunInvoker['bind']> {
    const code = this.#parts.invoker.bind(found);
    if (code === undefined) faults.add('WORKFLOW_WITHOUT_RUN', lackOf(found));
    return code;
  }
}

function keyOf(workflow: Startable<never, unknown>): string {
  const { name, version } = describeWorkflow(workflow);
  return `${name}@${version}`;
}

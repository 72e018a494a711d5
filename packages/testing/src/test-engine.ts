// An engine under test and what a test wants to know of it, or do to it.

import {
  createEngine,
  PerdureError,
  runStatuses,
  silentLogger,
  type Engine,
  type EngineOptions,
  type RunStatus,
  type StepInfo,
} from 'perdure';
import { hasEnded } from './end-with-test.js';
import type { EngineTables } from './engine-tables.js';
import { StepMocks, type StepMock, type StepReference } from './step-mocks.js';
import type { TestClock } from './test-clock.js';
import type { TestDatabase } from './test-database.js';
import { waitFor } from './wait-for.js';

/** A run, or its id. */
export type RunReference = string | { readonly id: string };

/** A recorded step of a run. */
export interface TestStep extends StepInfo {
  /** How many attempts it took. */
  readonly attempts: number;
}

interface Parts {
  readonly database: TestDatabase;
  readonly clock: TestClock;
  readonly tables: EngineTables;
  readonly options: Omit<EngineOptions, 'database'>;
}

/** What `createTestEngine` makes. Its methods may be taken apart from it. */
export class TestEngine {
  /** The engine. */
  readonly engine: Engine;
  /** The time of the database. */
  readonly clock: TestClock;
  /** The database, which belongs to this alone. */
  readonly database: TestDatabase;
  readonly #tables: EngineTables;
  readonly #options: Omit<EngineOptions, 'database'>;
  readonly #engines: Engine[] = [];
  readonly #mocks = new StepMocks();
  #closing: Promise<void> | undefined;

  /** @internal Use `createTestEngine`. */
  constructor({ database, clock, tables, options }: Parts) {
    this.database = database;
    this.clock = clock;
    this.#tables = tables;
    this.#options = { logger: silentLogger, parkAfter: 0, ...options };
    this.engine = this.#create({});
  }

  /** Another engine on the same database, as a second process would have one; its options are those of the first, but for these. */
  readonly launchAnother = async (options: Omit<EngineOptions, 'database'> = {}): Promise<Engine> =>
    this.#create(options).launch();

  /** What a run has recorded, in the order in which results reached its code. */
  readonly stepsOf = async (run: RunReference): Promise<readonly TestStep[]> => {
    const id = idOf(run);
    const [steps, failed] = [await this.engine.runs.steps(id), await this.#tables.countFailedAttempts(id)];
    return steps.map((step) => ({ ...step, attempts: 1 + (failed.get(`${step.name} ${step.occurrence}`) ?? 0) }));
  };

  /** Resolves when a run has this status: `waiting`, `paused`, `failed`, … Rejects after ten seconds. */
  readonly waitForStatus = async (run: RunReference, status: RunStatus): Promise<void> => {
    checkStatus(status);
    const what = `run ${idOf(run)} to be ${status}`;
    const probe = async (): Promise<RunStatus | undefined> => (await this.engine.runs.get(idOf(run)))?.status;
    await waitFor(probe, { what, until: (seen) => seen === status });
  };

  /** The step of this name, as soon as a run has recorded it; of several, the first. Rejects after ten seconds. */
  readonly waitForStep = async (run: RunReference, name: string): Promise<TestStep> => {
    const find = async (): Promise<TestStep | undefined> =>
      (await this.stepsOf(run)).find((step) => step.name === name);
    return waitFor(find, { what: `run ${idOf(run)} to record step "${name}"` });
  };

  /**
   * What a crash does, to an engine of this process: from one moment to the next it can write nothing, loses what it executes, and
   * its runs go on elsewhere, or here, from what they have recorded. The engine starts again under a new id, so handles of its runs stay
   * of use. Resolves when all its runs have been taken from it. Default: the first engine.
   */
  readonly crash = async (engine: Engine = this.engine): Promise<void> => {
    const { executor } = await engine.health();
    await this.#tables.bury(executor.id);
    await this.#takeOver(executor.id);
  };

  /**
   * Crashes the engine that next executes this step, as `crash` does, when the step has done its work and before that is recorded: the
   * moment that has it executed again. Resolves when the run has been taken over.
   *
   * @example
   * const crashed = crashAt(charge);
   * const run = await engine.startWorkflow(checkout, order);
   * await crashed;
   */
  readonly crashAt = (step: StepReference): Promise<void> =>
    new Promise((resolve, reject) => {
      this.#mocks.onceBehind(step, async ({ runId }) => {
        const owner = await this.#tables.findOwner(runId);
        if (owner === undefined)
          return reject(new Error(`run ${runId} is not executed by anybody, so nothing crashed`));
        await this.#tables.bury(owner);
        this.#takeOver(owner).then(resolve, reject); // not awaited: the attempt's result has to come, and be refused
      });
    });

  /**
   * Puts something in the place of a step, in all engines of this test. It may throw, and counts as an attempt of the step as ever.
   * Transactional steps cannot be replaced.
   *
   * @example
   * const mock = mockStep(charge, async (order) => ({ id: `test-${order.id}` }));
   */
  readonly mockStep: MockStep = (step: StepReference, call: (...args: never) => unknown): StepMock =>
    this.#mocks.replace(step, call as (...args: readonly unknown[]) => unknown);

  /** Closes the engines and drops the database. Safe to repeat. */
  readonly close = (): Promise<void> => (this.#closing ??= this.#close());

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #create(options: Omit<EngineOptions, 'database'>): Engine {
    const all = { ...this.#options, ...options };
    const engine = createEngine({
      ...all,
      aroundStep: this.#mocks.around(all.aroundStep),
      database: this.database.url,
    });
    this.#engines.push(engine);
    return engine;
  }

  async #takeOver(executor: string): Promise<void> {
    // One sign of life to learn of the death and start again, another to take over what is left.
    const probe = async (): Promise<boolean> => {
      await this.#tables.askForLife();
      return (await this.#tables.countRunsOf(executor)) === 0;
    };
    await waitFor(probe, { what: 'the runs of the crashed engine to be taken over' });
  }

  async #close(): Promise<void> {
    hasEnded(this);
    await this.clock.close();
    await Promise.all(this.#engines.map((engine) => engine.close({ timeout: 0 })));
    await this.database.drop();
  }
}

/** Puts something in the place of a step: typed by the step itself, or by its name. */
export interface MockStep {
  <Args extends readonly unknown[], Result>(
    step: (...args: Args) => Promise<Result>,
    call: (...args: Args) => Result | Promise<Result>,
  ): StepMock;
  (step: string, call: (...args: never) => unknown): StepMock;
}

function idOf(run: RunReference): string {
  const id: unknown = typeof run === 'string' ? run : Reflect.get(Object(run), 'id');
  if (typeof id === 'string') return id;
  throw new PerdureError('OPTION_INVALID', { option: 'run', value: run, reason: 'give a run, or its id' });
}

function checkStatus(status: RunStatus): void {
  if (runStatuses.includes(status)) return;
  const reason = `it is none of ${runStatuses.join(', ')}`;
  throw new PerdureError('OPTION_INVALID', { option: 'status', value: status, reason });
}

// What application code holds of a workflow: it starts runs and finds them again, typed by the class or contract.

import type {
  Engine,
  Idempotent,
  InTransaction,
  RunHandle,
  SendOptions,
  Startable,
  StartArguments,
  StartOptions,
  Topic,
  WorkflowReference,
} from 'perdure';

/** The input of a workflow: of the instances of a class, or of a contract. */
export type InputOf<W> =
  W extends WorkflowReference<infer Input, unknown>
    ? Input
    : W extends { run(): Promise<unknown> }
      ? void
      : W extends { run(input: infer Input): Promise<unknown> }
        ? Input
        : never;

/** The result of a workflow. */
export type OutputOf<W> =
  W extends WorkflowReference<never, infer Output>
    ? Output
    : W extends { run(input: never): Promise<infer Output> }
      ? Output
      : never;

/** What a `WorkflowRef` can stand for: an instance type with `run`, or the type of a contract. */
export type AnyWorkflow = WorkflowReference<never, unknown> | { run(input: never): Promise<unknown> };

/**
 * Starts runs of a workflow, and finds them again. Injected by `@InjectWorkflow`; the type parameter is the workflow class, or
 * `typeof` a contract.
 *
 * @example
 * const run = await this.checkout.start(order, { id: `order-${order.id}` });
 * return run.result();
 */
export class WorkflowRef<W extends AnyWorkflow> {
  readonly #engine: Engine;
  readonly #workflow: Startable<InputOf<W>, OutputOf<W>>;
  readonly #onStart: () => void;

  /** @internal Injected by `@InjectWorkflow`. */
  constructor(engine: Engine, workflow: Startable<InputOf<W>, OutputOf<W>>, onStart: () => void = () => undefined) {
    this.#engine = engine;
    this.#workflow = workflow;
    this.#onStart = onStart;
  }

  /**
   * Starts a run, as `engine.startWorkflow` does: once this has resolved, the run reaches its outcome whatever crashes. The same id
   * again is the same run. Throws INPUT_INVALID, UNSERIALIZABLE, RUN_ID_CONFLICT, RUN_EXISTS, and what `engine.startWorkflow` throws.
   */
  async start(
    ...startArguments: StartArguments<InputOf<W>, StartOptions & InTransaction & Idempotent>
  ): Promise<RunHandle<OutputOf<W>>> {
    this.#onStart();
    return this.#engine.startWorkflow(this.#workflow, ...startArguments);
  }

  /** The handle of a run that was started anywhere. Whether there is one shows when it is used. Throws RUN_ID_INVALID. */
  get(id: string): RunHandle<OutputOf<W>> {
    return this.#engine.getHandle(id, this.#workflow);
  }

  /** Sends a message to a run. Resolves when it is durable. Throws RUN_NOT_FOUND, RUN_STATE_CONFLICT, INPUT_INVALID. */
  async send<Message>(id: string, to: Topic<Message>, message: Message, options?: SendOptions): Promise<void> {
    await this.#engine.send(id, to, message, options);
  }
}

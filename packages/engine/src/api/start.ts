// Starting runs: the options, and the free function for workflow code.

import { findContext, requireRun } from '../run/context.js';
import type { WorkflowDefinition } from '../run/definition.js';
import type { Run } from '../run/run.js';
import type { NewRun, RunHost } from '../run/run-host.js';
import { startChildIn } from '../run/waits.js';
import { parseDuration, type Duration } from '../values/duration.js';
import { PerdureError } from '../values/errors.js';
import { checkRunId, type RunId } from '../values/ids.js';
import { refuseUnknown } from '../values/unknown-options.js';
import { attributesOf } from './attributes.js';
import type { WorkflowClass } from './decorators.js';
import { idempotencyOf, type Idempotent } from './idempotency.js';
import { refuseInWorkflow, type InTransaction } from './in-transaction.js';
import { placeOf, type PlaceOptions } from './queue.js';
import { definitionKey, encodeChecked, encodeInput, type OptionalInput, type WorkflowReference } from './workflow.js';

/** Options of a start. */
export interface StartOptions extends PlaceOptions {
  /** 1 to 512 printable characters. The same id again is the same run. Default: a UUIDv7. */
  readonly id?: string;
  /**
   * What to do when a run of the id is there, or an unfinished one with the dedup key: give its handle (default), or
   * throw RUN_EXISTS or DEDUP_CONFLICT.
   */
  readonly onDuplicate?: 'attach' | 'reject';
  /** Not before this time has passed. Default: at once. */
  readonly delay?: Duration;
  /**
   * How long it may take from the start of its execution. Default: the workflow's. A child also ends with the deadline of
   * its parent; null detaches it from that, and sets no limit.
   */
  readonly timeout?: Duration | null;
  /** Searchable facts, as a plain JSON object. */
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/** What can be started: a workflow, its contract, or a class with `@Workflow`, of which an instance is registered. */
export type Startable<Input, Output> = WorkflowReference<Input, Output> | WorkflowClass<Input, Output>;

/** The input, if the workflow takes one, and options. */
export type StartArguments<Input, Options = StartOptions> = [...OptionalInput<Input>, options?: Options | undefined];

/** What a start needs to know of the engine. */
export type StartHost = Pick<RunHost, 'maxPayloadBytes' | 'carrier'>;

/** Validates what a start was given. Throws INPUT_INVALID, UNSERIALIZABLE, PAYLOAD_TOO_LARGE, RUN_ID_INVALID, DURATION_INVALID, OPTION_INVALID, NAME_INVALID. */
export async function toNewRun(
  definition: WorkflowDefinition,
  input: unknown,
  options: StartOptions & Idempotent,
  host: StartHost,
): Promise<NewRun> {
  const newRun = toNewRunNow(definition, { input, options }, host);
  if (definition.inputSchema === undefined) return newRun;
  return { ...newRun, input: await encodeInput(definition, input, host.maxPayloadBytes) };
}

/** The same at once, without the input if a schema has to check it first. */
export function toNewRunNow(
  definition: WorkflowDefinition,
  { input, options }: { readonly input: unknown; readonly options: StartOptions & Idempotent },
  host: StartHost,
): NewRun {
  const { id, delay, timeout, attributes } = options;
  return {
    definition,
    id: id === undefined ? undefined : checkRunId(id),
    delayMs: delay === undefined ? undefined : parseDuration(delay, 'delay'),
    timeoutMs: timeout === undefined || timeout === null ? undefined : parseDuration(timeout, 'timeout'),
    isUnlimited: timeout === null,
    attributes: attributesOf(host, attributes),
    place: placeOf(options, definition.queue),
    rejectsDuplicate: options.onDuplicate === 'reject',
    idempotency: idempotencyOf(options),
    input: definition.inputSchema === undefined ? encodeChecked(definition, input, host.maxPayloadBytes) : '',
  };
}

/**
 * Starts a run from within a run, without waiting for it. The start is recorded: it happens once, and its id is the same
 * on every replay. Resolves to the id once the run is durable. From outside of runs use `engine.startWorkflow`.
 * Throws NOT_IN_RUN, IN_STEP and what `engine.startWorkflow` throws.
 *
 * @example
 * const id = await startWorkflow(reminder, { order: order.id });
 */
export async function startWorkflow<Input, Output>(
  workflow: Startable<Input, Output>,
  ...startArguments: StartArguments<Input>
): Promise<RunId> {
  const run = requireRun('startWorkflow');
  const { input, options } = readArguments(startArguments);
  if (options.transaction !== undefined) refuseInWorkflow(options.transaction);
  const definition = definitionOf(workflow);
  return startChildIn(run, definition.name, toNewRun(definition, input, options, run.host));
}

/** Tells input and options apart, either of which may be left out. */
export function readArguments(startArguments: readonly unknown[]): {
  readonly input: unknown;
  readonly options: StartOptions & InTransaction & Idempotent;
} {
  const [input, options = {}] = startArguments as readonly [input?: unknown, options?: StartOptions & InTransaction];
  refuseUnknown(options, startOptions, 'starts');
  const [, , ...more] = startArguments;
  if (more.length > 0) throw invalid('arguments', `${2 + more.length} of them`, 'a start takes one input, and options');
  const { onDuplicate } = options;
  if (onDuplicate !== undefined && onDuplicate !== 'attach' && onDuplicate !== 'reject')
    throw invalid('onDuplicate', onDuplicate, 'it is neither attach nor reject');
  return { input, options };
}

function invalid(option: string, value: unknown, reason: string): PerdureError {
  return new PerdureError('OPTION_INVALID', { option, value, reason });
}

/** The options that one start and one of many have in common. */
export const commonOptions: Readonly<Record<keyof Omit<StartOptions, 'onDuplicate'>, true>> = {
  id: true,
  delay: true,
  timeout: true,
  attributes: true,
  queue: true,
  partitionKey: true,
  priority: true,
  dedupKey: true,
};

const startOptions: Readonly<Record<keyof (StartOptions & InTransaction & Idempotent), true>> = {
  ...commonOptions,
  onDuplicate: true,
  transaction: true,
  idempotency: true,
};

/** The definition behind a workflow, its contract or a workflow class. Throws OPTION_INVALID for anything else. */
export function definitionOf(workflow: Startable<never, unknown>): WorkflowDefinition {
  const given: Startable<never, unknown> | null | undefined = workflow; // nothing, where two files import each other
  const definition = given?.[definitionKey];
  if (definition !== undefined) return definition;
  const named: unknown = given;
  const value = typeof named === 'string' ? named : typeof named;
  const byName =
    typeof named === 'string' ? `; to start it by its name alone, give contract(${JSON.stringify(named)})` : '';
  const reason = `make one with workflow(), contract() or @Workflow()${byName}`;
  throw new PerdureError('OPTION_INVALID', { option: 'workflow', value, reason });
}

/**
 * The run whose workflow code is calling, so that the call must be recorded in it. Throws OPTION_INVALID when that run is
 * another engine's: it would look for the other run in its own database.
 */
export function findCallingRun(host: RunHost): Run | undefined {
  const context = findContext();
  if (context === undefined || context.step !== undefined) return undefined;
  // By the id: the check of a replay has a host of its own.
  if (context.run.host.executorId === host.executorId) return context.run;
  const reason = 'its database could not record the call, so call it inside a step, with an id';
  throw new PerdureError('OPTION_INVALID', { option: 'engine', value: 'another than that of the run', reason });
}

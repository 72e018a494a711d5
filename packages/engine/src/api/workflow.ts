// Defining workflows: a name, a function, and what to check before it runs.

import type { WorkflowDefinition } from '../run/definition.js';
import { findContext, requireRun } from '../run/context.js';
import { callChild } from '../run/waits.js';
import { parseDuration, type Duration } from '../values/duration.js';
import { isPerdureError, PerdureError } from '../values/errors.js';
import { checkName } from '../values/ids.js';
import { encodeWithin } from '../values/payload.js';
import {
  checkSchema,
  validate,
  type SchemaInput,
  type SchemaOutput,
  type StandardSchema,
} from '../values/standard-schema.js';
import { refuseUnknown } from '../values/unknown-options.js';
import { attributesOf } from './attributes.js';
import { placeOf, queueName, type Queue } from './queue.js';

/** Options of a workflow. */
export interface WorkflowOptions {
  /**
   * Tells apart generations of the code: a run goes on only in a process that hosts the version it was started with.
   * Default: none, any process that knows the name may go on.
   */
  readonly version?: string;
  /** How long a run may take from the start of its execution, waits included. Default: no limit. Past it: RUN_TIMED_OUT. */
  readonly timeout?: Duration;
  /** The queue that its runs are started in, unless the start names another. Default: none. */
  readonly queue?: Queue | string;
}

declare const inputType: unique symbol;
declare const outputType: unique symbol;

/** The key under which workflows and workflow classes carry their definition. Shared by all copies of the package. */
export const definitionKey: unique symbol = Symbol.for('perdure/definition/v1');

/** What names a workflow and types its input and result: a workflow itself, or its contract. */
export interface WorkflowReference<Input, Output> {
  readonly [definitionKey]: WorkflowDefinition;
  /** Types only: never there at run time. */
  readonly [inputType]?: (input: Input) => void;
  readonly [outputType]?: Output;
}

/** A workflow. Called inside a run it is a child run; from outside it is started by `engine.startWorkflow`. */
export interface WorkflowFunction<Input, Output> extends WorkflowReference<Input, Output> {
  (...input: OptionalInput<Input>): Promise<Output>;
  readonly name: string;
}

/** The arguments that carry an input: none is needed where undefined will do. */
export type OptionalInput<Input> = undefined extends Input ? [input?: Input] : [input: Input];

/**
 * A workflow: an ordinary async function whose progress survives the process.
 *
 * Give it a name of its own, because minifiers rename functions; the name is its identity in the database. In its body,
 * do what has effects in steps, and use `now`, `random`, `uuid`, `sleep` in place of their unrecorded counterparts.
 * Input and result are values that survive storage: JSON, and Date, Map, Set, BigInt, Buffer, Error and their like.
 * Throws NAME_INVALID, OPTION_INVALID, DURATION_INVALID.
 *
 * @example
 * const greet = workflow('greet', async (name: string) => {
 *   const greeting = await runStep('compose', () => `Hello ${name}`);
 *   await sleep('1 day');
 *   return greeting;
 * });
 */
export function workflow<Schema extends StandardSchema, Output>(
  name: string,
  run: (input: SchemaOutput<Schema>) => Promise<Output>,
  options: WorkflowOptions & { readonly input: Schema },
): WorkflowFunction<SchemaInput<Schema>, Output>;
export function workflow<Input = void, Output = void>(
  name: string,
  run: (input: Input) => Promise<Output>,
  options?: WorkflowOptions,
): WorkflowFunction<Input, Output>;
export function workflow(
  name: string,
  run: (input: never) => Promise<unknown>,
  options: WorkflowOptions & { readonly input?: StandardSchema } = {},
): WorkflowFunction<unknown, unknown> {
  requireFunction(run, 'workflow', name);
  return callable(define(name, run as (input: unknown) => Promise<unknown>, options));
}

/**
 * A workflow without its code: what a process needs that starts runs and hosts none. Name and version must be those of
 * the workflow that another process hosts. Throws NAME_INVALID, OPTION_INVALID, DURATION_INVALID.
 *
 * @example
 * export const checkoutContract = contract<{ sku: string }, { trackingId: string }>('checkout');
 */
export function contract<Input = void, Output = void>(
  name: string,
  options: WorkflowOptions & { readonly input?: StandardSchema<Input, unknown> } = {},
): WorkflowFunction<Input, Output> {
  return callable(define(name, undefined, options)) as WorkflowFunction<Input, Output>;
}

type DefinitionOptions = WorkflowOptions & { readonly input?: StandardSchema };

const definitionOptions: Readonly<Record<keyof DefinitionOptions, true>> = {
  version: true,
  timeout: true,
  input: true,
  queue: true,
};

/** Checks and fixes a definition. Throws NAME_INVALID, OPTION_INVALID, DURATION_INVALID. */
export function define(
  name: string,
  run: ((input: unknown) => Promise<unknown>) | undefined,
  options: DefinitionOptions,
): WorkflowDefinition {
  refuseUnknown(options, definitionOptions, 'workflows');
  const { version, timeout, input, queue } = options;
  return {
    name: checkName('workflow', name),
    version: version === undefined ? '' : checkName('version', version),
    run,
    inputSchema: checkSchema(input, { option: 'input', of: `workflow "${name}"` }),
    timeoutMs: timeout === undefined ? undefined : parseDuration(timeout, `the timeout of workflow "${name}"`),
    queue: queue === undefined ? undefined : queueName(queue),
  };
}

/** Refuses what is no function, as the promise of a call that was made already. Throws OPTION_INVALID. */
export function requireFunction(run: unknown, kind: string, name: string): void {
  if (typeof run === 'function') return;
  throw new PerdureError('OPTION_INVALID', {
    option: 'run',
    value: run,
    reason: `give a function to the ${kind} "${name}"`,
  });
}

/** Validates an input and puts it into stored form. Throws INPUT_INVALID, UNSERIALIZABLE, PAYLOAD_TOO_LARGE. */
export async function encodeInput(definition: WorkflowDefinition, input: unknown, maxBytes: number): Promise<string> {
  const { inputSchema } = definition;
  if (inputSchema === undefined) return encodeChecked(definition, input, maxBytes);
  const checked = await prepared(() => validate(inputSchema, input, whatOf(definition)));
  return encodeChecked(definition, checked, maxBytes);
}

/** Puts an input that no schema has to check into stored form. Throws UNSERIALIZABLE, PAYLOAD_TOO_LARGE. */
export function encodeChecked(definition: WorkflowDefinition, input: unknown, maxBytes: number): string {
  return encodeWithin(input, whatOf(definition), maxBytes);
}

function whatOf({ name }: WorkflowDefinition): string {
  return `the input of workflow "${name}"`;
}

// A schema may take its time. In workflow code nothing may overtake the call meanwhile, live or in replay.
async function prepared<T>(work: () => Promise<T>): Promise<T> {
  const context = findContext();
  return context === undefined || context.step !== undefined ? work() : context.run.delivery.prepare(work);
}

/** A definition as the function that users hold. */
export function callable(definition: WorkflowDefinition): WorkflowFunction<unknown, unknown> {
  const call = async (input?: unknown): Promise<unknown> => {
    const run = requireParent(definition.name);
    const text = encodeInput(definition, input, run.host.maxPayloadBytes);
    const attributes = attributesOf(run.host, undefined);
    const place = placeOf({}, definition.queue);
    return callChild(
      run,
      definition.name,
      text.then((encoded) => ({ definition, input: encoded, attributes, place })),
    );
  };
  Object.defineProperty(call, 'name', { value: definition.name });
  return Object.assign(call, { [definitionKey]: definition } as const);
}

function requireParent(name: string): ReturnType<typeof requireRun> {
  try {
    return requireRun(`the workflow "${name}"`);
  } catch (error) {
    if (!isPerdureError(error, 'NOT_IN_RUN')) throw error;
    throw new PerdureError('WORKFLOW_CALLED_OUTSIDE_RUN', { workflow: name });
  }
}

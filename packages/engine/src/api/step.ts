// Defining and calling steps.

import { findContext } from '../run/context.js';
import type { WorkflowDefinition } from '../run/definition.js';
import { runStepIn, type StepDefinition } from '../run/run-step.js';
import { retryPolicy, type RetryOptions } from '../values/backoff.js';
import { parseDuration, type Duration } from '../values/duration.js';
import { PerdureError } from '../values/errors.js';
import { checkName } from '../values/ids.js';
import { refuseUnknown } from '../values/unknown-options.js';
import { define, requireFunction } from './workflow.js';

/** Options of a step. */
export interface StepOptions {
  /** Tries a failed attempt again. Default: one attempt. Past the last one: STEP_RETRIES_EXHAUSTED. */
  readonly retry?: RetryOptions;
  /** How long one attempt may take. Then its `currentStep().signal` fires and it fails with STEP_TIMED_OUT. Default: no limit. */
  readonly timeout?: Duration;
  /** The name under which runs in flight have recorded this step before it was renamed. */
  readonly formerly?: string;
}

// Under this key a step carries the workflow that runs it alone. Shared by all copies of the package. It is no part of the type
// of a step, which has to be a plain function type to keep type parameters and optional arguments.
const stepKey = Symbol.for('perdure/step/v1');

/** A step, to be called as the function that it is, or started as a run of its own by `engine.startStep`. */
export type Step<Args extends readonly unknown[], Result> = (...args: Args) => Promise<Result>;

/**
 * A function whose result is recorded: inside a run, the same call is never executed again once it has been recorded. Outside of a run,
 * and inside another step, it is a plain call.
 *
 * A step that ran but was not yet recorded when the process died runs again, so give what it calls an idempotency key.
 * Its arguments are not recorded; its result must survive storage. Throws NAME_INVALID, OPTION_INVALID, DURATION_INVALID.
 *
 * @example
 * const charge = step('charge', async (order: Order) => payments.charge(order.id, order.total), {
 *   retry: { maxAttempts: 5, delay: '1s' },
 * });
 */
export function step<Args extends readonly unknown[], Result>(
  name: string,
  run: (...args: Args) => Promise<Result> | Result,
  options: StepOptions = {},
): (...args: Args) => Promise<Result> {
  const definition = defineStep(name, options);
  requireFunction(run, 'step', name);
  const call = (...args: Args): Promise<Result> => callStep(definition, () => run(...args), args);
  // Its arguments are the input: they were encoded by startStep, and checked by its types.
  const asWorkflow = (args: unknown): Promise<Result> => call(...(args as Args));
  const asRun = (): WorkflowDefinition => define(`step ${name}`, asWorkflow, {});
  Object.defineProperties(call, { name: { value: name }, [stepKey]: { value: asRun } });
  return call;
}

/** The workflow that runs nothing but a step. Throws OPTION_INVALID for what is no step. */
export function definitionOfStep(given: Step<never, unknown>): WorkflowDefinition {
  const asked: Step<never, unknown> | null | undefined = given; // nothing, where two files import each other
  const asRun: unknown = typeof asked === 'function' ? Reflect.get(asked, stepKey) : undefined;
  if (typeof asRun === 'function') return (asRun as () => WorkflowDefinition)();
  throw new PerdureError('OPTION_INVALID', { option: 'step', value: typeof given, reason: 'make one with step()' });
}

/**
 * Runs a function as a step, inline. The same as `step(name, run, options)()`.
 *
 * @example
 * const receipt = await runStep('send receipt', () => mail.send(order.email));
 */
export function runStep<Result>(
  name: string,
  run: () => Promise<Result> | Result,
  options: StepOptions = {},
): Promise<Result> {
  const definition = defineStep(name, options);
  requireFunction(run, 'step', name);
  return callStep(definition, run);
}

const stepOptions: Readonly<Record<keyof StepOptions, true>> = { retry: true, timeout: true, formerly: true };

/** Checks and fixes a step. Throws NAME_INVALID, OPTION_INVALID, DURATION_INVALID. */
export function defineStep(name: string, options: StepOptions): StepDefinition {
  refuseUnknown(options, stepOptions, 'steps');
  const { retry, timeout, formerly } = options;
  return {
    name: checkName('step', name),
    formerly: formerly === undefined ? undefined : checkName('step', formerly),
    retry: retryPolicy(retry),
    timeoutMs: timeout === undefined ? undefined : positive(parseDuration(timeout, `the timeout of step "${name}"`)),
  };
}

/** Calls a step: recorded in workflow code, plain elsewhere. */
export function callStep<Result>(
  definition: StepDefinition,
  run: () => Promise<Result> | Result,
  args: readonly unknown[] = [],
): Promise<Result> {
  const context = findContext();
  if (context === undefined || context.step !== undefined) return (async () => run())();
  return runStepIn(context.run, definition, { call: run, args }) as Promise<Result>;
}

function positive(timeoutMs: number): number {
  if (timeoutMs > 0) return timeoutMs;
  throw new PerdureError('OPTION_INVALID', {
    option: 'timeout',
    value: timeoutMs,
    reason: 'an attempt needs some time',
  });
}

// Workflows and steps as classes: `@Workflow('checkout')` on a class with `run(input)`, `@Step()` on methods. Both
// decorator systems of TypeScript are served: the legacy one (experimentalDecorators) and that of TC39.

import type { WorkflowDefinition } from '../run/definition.js';
import { PerdureError } from '../values/errors.js';
import type { StandardSchema } from '../values/standard-schema.js';
import { requireOptions } from '../values/unknown-options.js';
import { callStep, defineStep, type StepOptions } from './step.js';
import {
  define,
  definitionKey,
  type WorkflowFunction,
  type WorkflowOptions,
  type WorkflowReference,
} from './workflow.js';

/** A class whose instances are workflows. */
export interface WorkflowClass<Input, Output> {
  new (...dependencies: never[]): { run(input: Input): Promise<Output> };
  /** Set by the decorator. */
  readonly [definitionKey]?: WorkflowDefinition;
}

/** An instance of a workflow class. */
export interface WorkflowInstance<Input, Output> {
  run(input: Input): Promise<Output>;
}

/** What `workflow()` makes: called inside a run it is a child run; from outside it is started by `engine.startWorkflow`. */
export type Workflow<Input, Output> = WorkflowFunction<Input, Output>;

/**
 * Makes a class a workflow: its method `run(input)` is what is run. Register an instance with `engine.register`.
 * Throws NAME_INVALID, DURATION_INVALID, DECORATOR_UNSUPPORTED.
 *
 * @example
 * @Workflow('checkout')
 * class Checkout {
 *   constructor(private readonly payments: Payments) {}
 *   async run(order: Order): Promise<string> { return this.charge(order); }
 *   @Step() async charge(order: Order): Promise<string> { return this.payments.charge(order); }
 * }
 * engine.register(new Checkout(payments));
 */
export function Workflow(name: string, options?: WorkflowClassOptions): WorkflowDecorator<never, unknown>;
/** With a contract, the class implements it, and is started by the one or the other. */
export function Workflow<Input, Output>(contract: WorkflowReference<Input, Output>): WorkflowDecorator<Input, Output>;
export function Workflow(
  declared: string | WorkflowReference<never, unknown>,
  options: WorkflowClassOptions = {},
): WorkflowDecorator<never, unknown> {
  const definition =
    typeof declared === 'string'
      ? define(declared, undefined, options)
      : { ...definitionBehind(declared), run: undefined };
  return (target) => {
    if (typeof (target.prototype as { run?: unknown }).run !== 'function') {
      throw new PerdureError('DECORATOR_UNSUPPORTED', {
        decorator: `Workflow('${definition.name}')`,
        reason: `class ${target.name} has no method run(input)`,
      });
    }
    Object.defineProperty(target, definitionKey, { value: definition, configurable: true });
  };
}

function definitionBehind(contract: WorkflowReference<never, unknown>): WorkflowDefinition {
  const given: Partial<WorkflowReference<never, unknown>> | undefined = contract; // nothing, where two files import each other
  const definition = given?.[definitionKey];
  if (definition !== undefined) return definition;
  const reason = 'give a name, or a contract';
  throw new PerdureError('OPTION_INVALID', { option: 'workflow', value: typeof contract, reason });
}

/** Options of a workflow class. */
export interface WorkflowClassOptions extends WorkflowOptions {
  /** Checks the input of each start. */
  readonly input?: StandardSchema;
}

/** Decorates a class whose method `run` takes this input, in either decorator system. */
export type WorkflowDecorator<Input, Output> = <Class extends WorkflowClass<Input, Output>>(
  target: Class,
  context?: ClassDecoratorContext<Class>,
) => void;

/**
 * The name of the workflow that a class itself was declared to be by `@Workflow`; undefined for anything else, and for a subclass,
 * which only inherits. For those who look through classes.
 */
export function workflowNameOf(target: unknown): string | undefined {
  if (typeof target !== 'function' || !Object.hasOwn(target, definitionKey)) return undefined;
  return (target as Partial<WorkflowReference<never, unknown>>)[definitionKey]?.name;
}

// Under this key a method carries the name of the step that it is. Shared by all copies of the package.
const stepMethodKey = Symbol.for('perdure/step-method/v1');

/** The name of the step that a method with `@Step` is; undefined for any other. For those who look through classes. */
export function stepNameOf(method: unknown): string | undefined {
  const name: unknown = typeof method === 'function' ? Reflect.get(method, stepMethodKey) : undefined;
  return typeof name === 'string' ? name : undefined;
}

/** Options of a step method. */
export interface StepMethodOptions extends StepOptions {
  /** Default: the name of the method. */
  readonly name?: string;
}

/** Decorates a method that returns a promise, in either decorator system. */
export interface StepDecorator {
  // The legacy and the TC39 signature. `any` is what lets generic methods through; nothing of it reaches the caller.
  // oxlint-disable-next-line typescript/no-explicit-any
  <This, Method extends (this: This, ...args: any[]) => Promise<any>>(
    method: Method,
    context: ClassMethodDecoratorContext<This, Method>,
  ): Method;
  // oxlint-disable-next-line typescript/no-explicit-any
  <Method extends (...args: any[]) => Promise<any>>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<Method>,
  ): void;
}

/**
 * Makes a method a step, as `step` does a function. Throws NAME_INVALID, OPTION_INVALID, DURATION_INVALID, and
 * DECORATOR_UNSUPPORTED where the compiler calls it in neither known way.
 */
export function Step(options: StepMethodOptions = {}): StepDecorator {
  const decorate = (target: unknown, context: unknown, descriptor?: PropertyDescriptor): unknown => {
    if (typeof target === 'function' && isMethodContext(context))
      return wrap(target as AnyMethod, context.name, options);
    if (typeof descriptor?.value === 'function' && (typeof context === 'string' || typeof context === 'symbol')) {
      descriptor.value = wrap(descriptor.value as AnyMethod, context, options);
      return undefined;
    }
    const reason = 'it was not called as a method decorator; set experimentalDecorators, or use it on a method';
    throw new PerdureError('DECORATOR_UNSUPPORTED', { decorator: 'Step()', reason });
  };
  return decorate as StepDecorator;
}

/** The definition of an instance of a workflow class, bound to that instance; undefined for anything else. */
export function registerClass(instance: object): WorkflowDefinition | undefined {
  const given: unknown = instance; // from a program without types
  if (workflowNameOf(given) !== undefined && 'run' in Object(Reflect.get(Object(given), 'prototype')))
    throw new PerdureError('OPTION_INVALID', {
      option: 'workflow',
      value: 'a class',
      reason: 'its runs would find no instance to run on; register one of it, made by `new`',
    });
  if (typeof given !== 'object' || given === null || definitionKey in given) return undefined;
  const declared = instance.constructor as unknown as Partial<WorkflowReference<unknown, unknown>>;
  const definition = declared[definitionKey];
  if (definition === undefined) return undefined;
  return { ...definition, run: (input) => (instance as WorkflowInstance<unknown, unknown>).run(input) };
}

type AnyMethod = (this: unknown, ...args: unknown[]) => Promise<unknown>;

function wrap(method: AnyMethod, key: string | symbol, given: StepMethodOptions): AnyMethod {
  requireOptions(given, { name: true }, 'steps');
  const { name = String(key), ...options } = given;
  const definition = defineStep(name, options);
  const wrapper = function (this: unknown, ...args: unknown[]): Promise<unknown> {
    return callStep(definition, () => method.apply(this, args), args);
  };
  Object.defineProperty(wrapper, 'name', { value: method.name, configurable: true });
  Object.defineProperty(wrapper, stepMethodKey, { value: definition.name });
  copyMetadata(method, wrapper);
  return wrapper;
}

// Decorators below this one have left reflect-metadata on the method: frameworks look for it on the wrapper.
function copyMetadata(from: object, to: object): void {
  const reflect = Reflect as {
    getOwnMetadataKeys?: (target: object) => unknown[];
    getOwnMetadata?: (key: unknown, target: object) => unknown;
    defineMetadata?: (key: unknown, value: unknown, target: object) => void;
  };
  for (const key of reflect.getOwnMetadataKeys?.(from) ?? [])
    reflect.defineMetadata?.(key, reflect.getOwnMetadata?.(key, from), to);
}

function isMethodContext(context: unknown): context is ClassMethodDecoratorContext {
  return typeof context === 'object' && context !== null && 'kind' in context && context.kind === 'method';
}

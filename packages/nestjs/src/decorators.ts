// The decorators of workflow classes and schedules. They leave metadata; metadata-accessor.ts reads it.

import { Injectable, type InjectableOptions } from '@nestjs/common';
import {
  Workflow as EngineWorkflow,
  type ScheduleOptions,
  type StandardSchema,
  type WorkflowClass,
  type WorkflowClassOptions,
  type WorkflowDecorator,
  type WorkflowReference,
} from 'perdure';
import { dtoSchema, type DtoClass } from './dto-schema.js';
import { addSchedule, setWorkflowSettings, type ScheduledSettings } from './metadata-accessor.js';
import { defaultEngine } from './tokens.js';

/** What Nest has to know of a workflow class. */
export interface WorkflowProviderOptions extends Pick<InjectableOptions, 'scope' | 'durable'> {
  /** The name of the engine that runs it. Default: the one without a name. */
  readonly engine?: string;
  /** Whether guards, interceptors, pipes and filters apply to `run`. They do again in every replay. Default: false. */
  readonly enhancers?: boolean;
}

/** Options of a workflow class. */
export interface WorkflowOptions extends Omit<WorkflowClassOptions, 'input'>, WorkflowProviderOptions {
  /** Checks the input of each start: a Standard Schema, or a class with the decorators of class-validator. */
  readonly input?: StandardSchema | DtoClass;
}

/**
 * Makes a provider a workflow: its method `run(input)` is what is run, with the instance that Nest has made. Put the class among the
 * `providers` of a module; it needs no `@Injectable`. A queue among the options is declared. With a contract, another process may start it that does not import the class.
 * Throws NAME_INVALID, DURATION_INVALID, DECORATOR_UNSUPPORTED.
 *
 * @example
 * @Workflow('checkout')
 * export class CheckoutWorkflow {
 *   constructor(private readonly payments: Payments) {}
 *   async run(order: Order): Promise<string> { return this.charge(order); }
 *   @Step() async charge(order: Order): Promise<string> { return this.payments.charge(order); }
 * }
 */
export function Workflow(name: string, options?: WorkflowOptions): WorkflowDecorator<never, unknown>;
export function Workflow<Input, Output>(
  contract: WorkflowReference<Input, Output>,
  options?: WorkflowProviderOptions,
): WorkflowDecorator<Input, Output>;
export function Workflow(
  declared: string | WorkflowReference<never, unknown>,
  { engine, enhancers, scope, durable, ...options }: WorkflowOptions = {},
): WorkflowDecorator<never, unknown> {
  const decorate =
    typeof declared === 'string' ? EngineWorkflow(declared, engineOptions(options)) : EngineWorkflow(declared);
  return (target, context) => {
    decorate(target, context);
    // Without a scope of its own, one that an @Injectable below has set stays.
    if (scope !== undefined || durable !== undefined)
      Injectable({ ...present({ scope }), ...present({ durable }) })(target);
    else if (!isInjectable(target)) Injectable()(target);
    const queue = typeof options.queue === 'object' ? options.queue : undefined;
    setWorkflowSettings(target, { engine: engine ?? defaultEngine, enhancers: enhancers ?? false, queue });
  };
}

/** When a schedule is due: a cron pattern of five or six fields, an alias as `@daily`, or an interval. */
export type When = ScheduledSettings['when'];

/** Options of `@Scheduled` on a workflow class. */
export type ScheduledOptions = ScheduleOptions<unknown> & {
  /** Name of the schedule. Default: that of the workflow. */
  readonly name?: string;
  /** The name of the engine that keeps it. On a class, that of the workflow. */
  readonly engine?: string;
};

/**
 * Starts a workflow class, or a method of a provider, again and again: once per tick over all processes, and to its end whatever crashes.
 * The class's `run`, or the method, receives a `Tick`. A method needs a name of its own, and is a workflow: what it calls in
 * `@Step` methods is recorded. Throws NAME_INVALID, CRON_INVALID, OPTION_INVALID when the application boots.
 *
 * @example
 * @Scheduled('0 * * * *', { name: 'hourly report', overlap: 'skip' })
 * async report({ scheduledAt }: Tick): Promise<void> { … }
 */
export function Scheduled(when: When, options: ScheduledOptions & { readonly name: string }): ScheduledDecorator;
export function Scheduled(when: When, options?: ScheduledOptions): WorkflowDecorator<never, unknown>;
export function Scheduled(when: When, options: ScheduledOptions = {}): ScheduledDecorator {
  const decorate = (target: object, _context?: unknown, descriptor?: PropertyDescriptor): void => {
    const decorated: unknown = descriptor === undefined ? target : descriptor.value;
    if (typeof decorated === 'function') addSchedule(decorated, { when, options });
  };
  return decorate as ScheduledDecorator;
}

/** Decorates a workflow class, or a method that returns a promise, in either decorator system. */
export interface ScheduledDecorator {
  <Class extends WorkflowClass<never, unknown>>(target: Class, context?: ClassDecoratorContext<Class>): void;
  // `any` stands for the tick, whose input a method may name; nothing of it reaches the caller.
  // oxlint-disable-next-line typescript/no-explicit-any
  <Method extends (tick: any) => Promise<unknown>>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<Method>,
  ): void;
  // oxlint-disable-next-line typescript/no-explicit-any
  <This, Method extends (this: This, tick: any) => Promise<unknown>>(
    method: Method,
    context: ClassMethodDecoratorContext<This, Method>,
  ): void;
}

function engineOptions({
  input,
  ...options
}: Omit<WorkflowOptions, keyof WorkflowProviderOptions>): WorkflowClassOptions {
  if (input === undefined) return options;
  return { ...options, input: '~standard' in input ? input : dtoSchema(input) };
}

function isInjectable(target: object): boolean {
  return Reflect.hasOwnMetadata('__injectable__', target);
}

function present<T extends object>(fields: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]: Exclude<T[Key], undefined>;
  };
}

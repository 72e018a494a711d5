// Calls a method of a provider as the code of a workflow: on the one instance that Nest has made, or, where something that it
// depends on is made per request or per use, on an instance made for this execution of the run.

import { ContextIdFactory, type ContextId, type ExternalContextCreator, type ModuleRef } from '@nestjs/core';
import { currentRun, describeWorkflow, type CurrentRun } from 'perdure';
import { faultOf } from './boot-faults.js';
import { inWords, type FoundWorkflow } from './explorer.js';

/** What request-scoped providers get as `REQUEST` in a run. */
export interface RunRequest {
  readonly run: CurrentRun;
}

type Code = (input: unknown) => Promise<unknown>;

// Has pipes see the one argument of a method as the body of a request (3), whose type stands in the metadata that the compiler leaves
// for a method with a decorator.
const argumentsKey = 'perdure:arguments';
const inputArgument = { '3:0': { index: 0, data: undefined, pipes: [] } };
const inputParams = { exchangeKeyForValue: (_type: unknown, _data: unknown, [input]: unknown[]): unknown => input };

/** Makes code of found workflows. */
export class RunInvoker {
  readonly #moduleRef: ModuleRef;
  readonly #contexts: ExternalContextCreator;

  constructor(moduleRef: ModuleRef, contexts: ExternalContextCreator) {
    this.#moduleRef = moduleRef;
    this.#contexts = contexts;
  }

  /** The code of a found workflow; undefined where the provider lacks the method. */
  bind(found: FoundWorkflow): Code | undefined {
    const { provider } = found;
    if (provider.isTransient || !provider.isDependencyTreeStatic()) return (input) => this.#runScoped(found, input);
    return this.#codeOf(found, provider.instance);
  }

  async #runScoped(found: FoundWorkflow, input: unknown): Promise<unknown> {
    const contextId = ContextIdFactory.create();
    this.#moduleRef.registerRequestByContextId<RunRequest>({ run: currentRun() }, contextId);
    const instance: unknown = await this.#moduleRef.resolve(found.provider.token, contextId, { strict: false });
    const code = this.#codeOf(found, instance, contextId);
    if (code === undefined) throw faultOf('WORKFLOW_WITHOUT_RUN', lackOf(found));
    return code(input);
  }

  #codeOf({ method, enhancers, provider }: FoundWorkflow, instance: unknown, contextId?: ContextId): Code | undefined {
    if (typeof instance !== 'object' || instance === null) return undefined;
    const run: unknown = Reflect.get(instance, method);
    if (typeof run !== 'function') return undefined;
    // Read at each call: a test may put a spy in its place.
    if (!enhancers) return (input) => (Reflect.get(instance, method) as Code).call(instance, input);
    Reflect.defineMetadata(argumentsKey, inputArgument, instance.constructor, method);
    const which = { guards: true, interceptors: true, filters: true };
    const enhanced = this.#contexts.create(
      instance,
      run as (...args: unknown[]) => unknown,
      method,
      argumentsKey,
      inputParams,
      contextId,
      contextId === undefined ? undefined : provider.id,
      which,
      'perdure',
    );
    return async (input) => enhanced(input) as Promise<unknown>;
  }
}

/** What a fault says of a found workflow whose provider lacks the method. */
export function lackOf(found: FoundWorkflow): { workflow: string; provider: string; method: string } {
  return { workflow: describeWorkflow(found.workflow).name, provider: inWords(found), method: found.method };
}

// The durable handlers of one application as workflows of its engine.

import type { Application, Express } from 'express';
import { PerdureError, workflow, type Engine, type Workflow } from 'perdure';
import type { RecordedResponse } from './captured-response.js';
import { handlerKey, type DurableHandler, type HandlerDefinition } from './handler-definition.js';
import { HandlerRunner } from './run-handler.js';
import type { StoredRequest } from './stored-request.js';

/** A durable handler as the engine runs it. */
export type HandlerWorkflow = Workflow<StoredRequest, RecordedResponse>;

/** The handlers that one middleware was given. */
export class HostedHandlers {
  readonly #engine: Engine;
  readonly #definitions: readonly HandlerDefinition[];
  readonly #workflows = new Map<HandlerDefinition, HandlerWorkflow>();
  #isBound = false;

  /** Throws WORKFLOW_DUPLICATE, OPTION_INVALID. */
  constructor(engine: Engine, handlers: readonly DurableHandler<never>[]) {
    this.#engine = engine;
    const given: unknown = handlers;
    if (!Array.isArray(given)) throw invalid(given, 'give a list of what durableHandler() has made');
    this.#definitions = [...new Set(handlers)].map(definitionOf);
    const names = this.#definitions.map(({ name }) => name);
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    if (twice !== undefined) throw new PerdureError('WORKFLOW_DUPLICATE', { workflow: twice });
  }

  /**
   * Hands the handlers to the engine, now that there is an application whose requests and responses they need. Before that, the engine
   * could only fail what a crash has left. The first application counts.
   */
  bind(app: Application): void {
    if (this.#isBound || !isExpress(app)) return;
    this.#isBound = true;
    const runner = new HandlerRunner(app);
    for (const definition of this.#definitions) {
      const { name, run, timeout } = definition;
      const code = (stored: StoredRequest): Promise<RecordedResponse> => runner.run(name, run, stored);
      const hosted = workflow(name, code, timeout === undefined ? {} : { timeout });
      this.#workflows.set(definition, hosted);
      this.#engine.register(hosted);
    }
  }

  /** Throws HANDLER_UNLISTED. */
  require(definition: HandlerDefinition): HandlerWorkflow {
    const found = this.#workflows.get(definition);
    if (found !== undefined) return found;
    const known = this.#definitions.map(({ name }) => name);
    throw new PerdureError('HANDLER_UNLISTED', { handler: definition.name, known });
  }
}

function definitionOf(handler: DurableHandler<never>): HandlerDefinition {
  const given: Partial<DurableHandler<never>> | null | undefined = handler; // nothing, where two files import each other
  const definition = given?.[handlerKey];
  if (definition !== undefined) return definition;
  throw invalid(handler, 'make one with durableHandler()');
}

function invalid(value: unknown, reason: string): PerdureError {
  return new PerdureError('OPTION_INVALID', { option: 'handlers', value, reason });
}

// Express's types keep the prototypes of requests and responses from all but the function that makes applications.
function isExpress(app: Application): app is Express {
  return 'request' in app && 'response' in app;
}

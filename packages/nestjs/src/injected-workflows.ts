// What `@InjectWorkflow` was asked for. Decorators run while files are loaded, before there is a module that could provide anything,
// so their wishes are kept for the process, as the metadata of every decorator is. Each PerdureModule provides them all.

import { describeWorkflow, type Startable } from 'perdure';
import { workflowSettingsOf } from './metadata-accessor.js';
import { defaultEngine, getWorkflowToken } from './tokens.js';

/** A workflow that some provider wants injected. */
export interface InjectedWorkflow {
  /** The workflow; late, because two files may import each other. */
  readonly find: () => Startable<never, unknown>;
  /** Undefined for that of its class. */
  readonly engine: string | undefined;
}

// One list for all copies of the package.
const stateKey = Symbol.for('perdure/nestjs/v1');

function wishes(): InjectedWorkflow[] {
  const holder = globalThis as { [stateKey]?: InjectedWorkflow[] };
  return (holder[stateKey] ??= []);
}

export function wishFor(injected: InjectedWorkflow): void {
  wishes().push(injected);
}

/** The token that a wish is fulfilled under. */
export function tokenOf({ find, engine }: InjectedWorkflow): string {
  const workflow = find();
  return getWorkflowToken(workflow, engine ?? engineOf(workflow));
}

/** Everything that was wished for from an engine, by token. */
export function wishedFrom(engine: string): ReadonlyMap<string, Startable<never, unknown>> {
  const all = wishes().map((wish) => ({ wish, workflow: wish.find() }));
  const mine = all.filter(({ wish, workflow }) => (wish.engine ?? engineOf(workflow)) === engine);
  return new Map(mine.map(({ workflow }) => [getWorkflowToken(workflow, engine), workflow]));
}

/** The name of the engine that a workflow class is meant for. Throws OPTION_INVALID for what is no workflow. */
export function engineOf(workflow: Startable<never, unknown>): string {
  describeWorkflow(workflow);
  return workflowSettingsOf(workflow)?.engine ?? defaultEngine;
}

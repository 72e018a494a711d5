// The names under which the module's providers are injected. Text, so that copies of the package agree on them.

import { describeWorkflow, type Startable } from 'perdure';

/** The engine that is meant when none is named. */
export const defaultEngine = 'default';

/** The token of an engine: `overrideProvider(getEngineToken())`, `moduleRef.get(getEngineToken('billing'))`. */
export function getEngineToken(engine: string = defaultEngine): string {
  return `PerdureEngine${suffix(engine)}`;
}

/** @internal The name of the engine that a token stands for; undefined for any other token. */
export function engineNameOf(token: unknown): string | undefined {
  if (token === getEngineToken()) return defaultEngine;
  const prefix = getEngineToken('');
  return typeof token === 'string' && token.startsWith(prefix) ? token.slice(prefix.length) : undefined;
}

/** The token of the `WorkflowRef` of a workflow class or contract, for tests that replace it. */
export function getWorkflowToken(workflow: Startable<never, unknown>, engine: string = defaultEngine): string {
  const { name, version } = describeWorkflow(workflow);
  return `WorkflowRef(${version === '' ? name : `${name}@${version}`})${suffix(engine)}`;
}

/** The token of what runs the workflows of an engine: `moduleRef.get(getWorkerToken()).refresh()`. */
export function getWorkerToken(engine: string = defaultEngine): string {
  return `PerdureWorker${suffix(engine)}`;
}

/** @internal */
export const optionsToken = 'PerdureOptions';

/** @internal What makes the engine in place of the module's options: for tests. Nothing by default. */
export function getEngineFactoryToken(engine: string): string {
  return `PerdureEngineFactory${suffix(engine)}`;
}

/** @internal What core and worker module share. */
export function getRuntimeToken(engine: string): string {
  return `PerdureRuntime${suffix(engine)}`;
}

function suffix(engine: string): string {
  return engine === defaultEngine ? '' : `:${engine}`;
}

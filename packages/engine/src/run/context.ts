// Which run, and which step of it, the current code belongs to.
// The AsyncLocalStorage is the only process-wide state of perdure: copies of the package (bundlers, ESM beside CommonJS)
// share it, so that a step imported from one copy finds the run started by another.

import { AsyncLocalStorage } from 'node:async_hooks';
import { PerdureError } from '../values/errors.js';
import type { Run } from './run.js';

/** The attempt of a step that is executing. */
export interface StepContext {
  readonly name: string;
  /** From 1. */
  readonly attempt: number;
  readonly maxAttempts: number;
  /** Fires when the attempt's time is up, and when the run is cancelled, taken over or ended. */
  readonly signal: AbortSignal;
}

/** Where the current code is. */
export interface RunContext {
  readonly run: Run;
  /** Undefined in workflow code itself. */
  readonly step: StepContext | undefined;
}

interface SharedState {
  readonly storage: AsyncLocalStorage<RunContext>;
  /** Test hook: called at named places, see @perdure/testing. */
  crashPoint?: (name: string) => void;
}

const sharedKey = Symbol.for('perdure/v1');

function shared(): SharedState {
  const holder = globalThis as { [sharedKey]?: SharedState };
  return (holder[sharedKey] ??= { storage: new AsyncLocalStorage() });
}

/** Runs `work` as part of a run. */
export function withContext<T>(context: RunContext, work: () => T): T {
  return shared().storage.run(context, work);
}

/** The current run and step, or undefined outside of any. */
export function findContext(): RunContext | undefined {
  return shared().storage.getStore();
}

/** The run whose workflow code is calling; throws NOT_IN_RUN outside, IN_STEP in a step. */
export function requireRun(operation: string): Run {
  const context = requireContext(operation);
  if (context.step !== undefined) throw new PerdureError('IN_STEP', { operation, step: context.step.name });
  return context.run;
}

/** The current run and step; throws NOT_IN_RUN outside of any. */
export function requireContext(operation: string): RunContext {
  const context = findContext();
  if (context === undefined) throw new PerdureError('NOT_IN_RUN', { operation });
  return context;
}

/** A place where a test may end the process. A null check in production. */
export function crashPoint(name: string): void {
  const hook = shared().crashPoint;
  if (hook !== undefined) hook(name);
}

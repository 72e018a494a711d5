// Which run, and which step of it, the current code belongs to.
// Kept in the one AsyncLocalStorage of the process, so that it follows every await.

import { PerdureError } from '../values/errors.js';
import { processState } from '../values/process-state.js';
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

/** Runs `work` as part of a run. */
export function withContext<T>(context: RunContext, work: () => T): T {
  return processState().storage.run(context, work);
}

/** The current run and step, or undefined outside of any. */
export function findContext(): RunContext | undefined {
  return processState().storage.getStore() as RunContext | undefined;
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

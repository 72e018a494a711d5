// What may stand around the attempts of steps: tracing, and what tests put in the place of a step.

import type { RunId } from '../values/ids.js';

/** One attempt of a step. */
export interface StepAttempt {
  readonly runId: RunId;
  readonly workflow: string;
  readonly step: string;
  /** From 1. */
  readonly attempt: number;
  /** What the step was called with; empty for an inline one. */
  readonly args: readonly unknown[];
}

/** Called for each attempt, inside of its context: what this returns or throws is the attempt's result. */
export type AroundStep = (attempt: StepAttempt, body: () => unknown) => unknown;

// Free functions that act on the current run, which they find by themselves.

import { randomUUID } from 'node:crypto';
import { types } from 'node:util';
import { findContext, requireContext, requireRun, type RunContext, type StepContext } from '../run/context.js';
import { sleepIn } from '../run/waits.js';
import { parseDuration, type Duration } from '../values/duration.js';
import { PerdureError } from '../values/errors.js';
import { checkName, type RunId } from '../values/ids.js';
import { consoleLogger, type LogFields, type Logger, type LogLevel } from '../values/logger.js';

/** The run that the current code belongs to. */
export interface CurrentRun {
  readonly id: RunId;
  readonly workflow: string;
  readonly version: string;
  /** When its execution began. */
  readonly startedAt: Date;
  /** When it will be cancelled with RUN_TIMED_OUT, if it has a deadline. */
  readonly deadlineAt: Date | undefined;
  /** How often it has been claimed: 1 on a first execution without wait or crash. Differs between replays. */
  readonly epoch: number;
  /**
   * Whether workflow code goes through what is recorded already; false in steps. For what must not be repeated but needs no
   * record, such as a line in a log.
   */
  readonly isReplaying: boolean;
  /** What was given at its start. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** The current run, in workflow code and in steps. Throws NOT_IN_RUN. */
export function currentRun(): CurrentRun {
  return describe(requireContext('currentRun'));
}

/** The current run, or undefined outside of any. */
export function findCurrentRun(): CurrentRun | undefined {
  const context = findContext();
  return context === undefined ? undefined : describe(context);
}

function describe({ run, step }: RunContext): CurrentRun {
  const { id, seed } = run;
  return {
    id,
    workflow: seed.definition.name,
    version: seed.definition.version,
    startedAt: new Date(seed.startedAtMs),
    deadlineAt: seed.deadlineAtMs === undefined ? undefined : new Date(seed.deadlineAtMs),
    epoch: seed.epoch,
    isReplaying: step === undefined && run.isRepeating,
    attributes: seed.attributes ?? {},
  };
}

/**
 * The attempt of a step that is executing: its name, attempt (from 1), maxAttempts, and a `signal` that fires when its
 * time is up and when the run is cancelled, taken over or ended. Throws NOT_IN_RUN outside of a step.
 */
export function currentStep(): StepContext {
  const { step } = requireContext('currentStep');
  if (step === undefined) throw new PerdureError('NOT_IN_RUN', { operation: 'currentStep (outside of a step)' });
  return step;
}

/** The attempt of a step that is executing, or undefined in workflow code and outside of runs. */
export function findCurrentStep(): StepContext | undefined {
  return findContext()?.step;
}

/**
 * Waits, durably: a number of milliseconds or text as `'3 days'`. A long sleep leaves memory; crashes and restarts do
 * not prolong it. It is counted from the run's last recorded result. Nothing at all is thrown when the run is
 * cancelled meanwhile. Throws NOT_IN_RUN, IN_STEP, DURATION_INVALID.
 *
 * @example
 * await sleep('3 days');
 */
export async function sleep(duration: Duration): Promise<void> {
  const run = requireRun('sleep');
  const isPast = typeof duration === 'number' && duration < 0; // the rest of something that is over
  const ms = isPast ? 0 : parseDuration(duration, 'sleep');
  await sleepIn(run, run.delivery.nowMs + ms);
}

/** Waits, durably, until a moment; one that has passed is no wait. Throws NOT_IN_RUN, IN_STEP, OPTION_INVALID. */
export async function sleepUntil(moment: Date | number): Promise<void> {
  const run = requireRun('sleepUntil');
  const wakeAtMs = typeof moment === 'number' || types.isDate(moment) ? Number(moment) : NaN; // text would be read in some time zone
  // Also a number beyond what a Date can hold, which Postgres could not store: the run would never get to its wait.
  if (Number.isNaN(new Date(wakeAtMs).getTime())) {
    throw new PerdureError('OPTION_INVALID', {
      option: 'sleepUntil',
      value: String(moment),
      reason: 'it is not a date',
    });
  }
  await sleepIn(run, wakeAtMs);
}

/** The time of the run's last recorded result: the same on every replay, at no cost. Elsewhere, the time of day. */
export function now(): Date {
  const context = findContext();
  return context === undefined || context.step !== undefined ? new Date() : new Date(context.run.delivery.nowMs);
}

/** A number from 0 to below 1: the same on every replay, at no cost. In steps and outside of runs, Math.random(). */
export function random(): number {
  const context = findContext();
  return context === undefined || context.step !== undefined ? Math.random() : context.run.random.next();
}

/** A UUID in the form of version 4: the same on every replay, at no cost. In steps and outside of runs, a random one. */
export function uuid(): string {
  const context = findContext();
  return context === undefined || context.step !== undefined ? randomUUID() : context.run.random.uuid();
}

/**
 * Guards changed code of a workflow that has runs in flight: true for runs that have not passed this point, false for
 * those that went by before the change. Throws NOT_IN_RUN, IN_STEP, NAME_INVALID.
 *
 * @example
 * if (patched('fraud check')) await checkFraud(order);
 */
export function patched(change: string): boolean {
  return requireRun('patched').delivery.mark(`patch: ${checkName('patch', change)}`);
}

/**
 * A logger for workflow code and steps: the engine's, with run, workflow, step and attempt in every line, and silent
 * while workflow code is replayed, so that a line appears once. Outside of runs it writes to the console.
 *
 * @example
 * log.info({ orderId: order.id }, 'payment received');
 */
export const log: Logger = {
  debug: (fields, message) => write('debug', fields, message),
  info: (fields, message) => write('info', fields, message),
  warn: (fields, message) => write('warn', fields, message),
  error: (fields, message) => write('error', fields, message),
};

function write(level: LogLevel, fields: LogFields, message: string): void {
  const context = findContext();
  if (context === undefined) return consoleLogger()[level](fields, message);
  const { run, step } = context;
  if (step === undefined && run.isRepeating) return;
  const place = step === undefined ? {} : { step: step.name, attempt: step.attempt };
  run.host.logger[level]({ runId: run.id, workflow: run.seed.definition.name, ...place, ...fields }, message);
}

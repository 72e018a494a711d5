// A run as clients see it.

import { isFinal, isPerdureError, type RunInfo, type RunStatus } from 'perdure';
import { plain } from './plain-json.js';

/** A run, as JSON. */
export interface RunView {
  readonly id: string;
  readonly workflow: string;
  readonly status: RunStatus;
  /** Whether the status is one that no run leaves by itself. */
  readonly isFinal: boolean;
  /** Times are left out in the answer to a start, so that a repeated one is the same. */
  readonly createdAt?: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  /** The result, once succeeded. */
  readonly output?: unknown;
  /** Why it has none, once failed or cancelled. */
  readonly error?: ErrorView;
}

/** An error that a run has failed with, as JSON. */
export interface ErrorView {
  readonly name: string;
  readonly code?: string;
  /** Left out unless `showErrors` is set: it may tell of the inside of the application. */
  readonly message?: string;
}

/** A run as JSON. */
export function viewOf(run: RunInfo, showErrors: boolean): RunView {
  return {
    id: run.id,
    workflow: run.workflow,
    status: run.status,
    isFinal: isFinal(run.status),
    createdAt: run.createdAt.toISOString(),
    ...(run.startedAt === undefined ? {} : { startedAt: run.startedAt.toISOString() }),
    ...(run.finishedAt === undefined ? {} : { finishedAt: run.finishedAt.toISOString() }),
    ...outcomeOf(run, showErrors),
  };
}

/** What a run has ended with, as JSON. */
export function outcomeOf(
  { status, output, error }: Pick<RunInfo, 'status' | 'output' | 'error'>,
  showErrors: boolean,
): Pick<RunView, 'output' | 'error'> {
  if (status === 'succeeded') return { output: plain(output) ?? null };
  return isFinal(status) ? { error: viewOfError(error, showErrors) } : {};
}

function viewOfError(error: unknown, showErrors: boolean): ErrorView {
  if (!(error instanceof Error)) return { name: 'Error', ...(showErrors ? { message: String(error) } : {}) };
  const code: unknown = isPerdureError(error) ? error.code : Reflect.get(error, 'code');
  return {
    name: error.name,
    ...(typeof code === 'string' ? { code } : {}),
    ...(showErrors ? { message: error.message } : {}),
  };
}

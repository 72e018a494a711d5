// How a test tells a worker process what to do. Imports nothing of Jest: the worker imports it too.

import type { EngineOptions } from 'perdure';

/** The environment variable that carries the options. */
export const workerVariable = 'PERDURE_TEST_WORKER';

/** Options of a worker: what JSON can carry of an engine's, and what tests need besides. */
export interface WorkerOptions extends Partial<
  Pick<EngineOptions, 'lease' | 'parkAfter' | 'pollInterval' | 'listen' | 'maxRecoveries' | 'maxConcurrentRuns'>
> {
  readonly database?: string;
  /** The crash point at which it kills itself: `name` or `name:3`. */
  readonly crashAt?: string;
  readonly schema?: string;
  /** Has its engine log to standard output. */
  readonly isLoud?: boolean;
  /** Starts a run of this workflow once it is launched, says its result, and closes. */
  readonly starts?: { readonly workflow: string; readonly id: string; readonly n: number; readonly pauseMs: number };
  /** Says the names of all crash points that it has passed when it closes. */
  readonly isTraced?: boolean;
  /** How far its wall clock is ahead, in milliseconds. */
  readonly clockAheadMs?: number;
}

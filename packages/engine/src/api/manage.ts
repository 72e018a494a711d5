// Looking at runs and steering them, from outside.

import type { Executor } from '../run/executor.js';
import type { Database } from '../store/database.js';
import { cancelRuns, resumeRuns, selectRunsById, type RunRow } from '../store/runs.js';
import { wakeWaiters } from '../store/waiters.js';
import { loadHistories } from '../store/steps.js';
import { PerdureError } from '../values/errors.js';
import { checkRunId, type RunId } from '../values/ids.js';
import { decode, decodeError, encodeError } from '../values/serialize.js';
import type { RunStatus } from '../values/status.js';
import type { News } from '../services/notifier.js';

/** A run as it stands. Times are of the database's clock. */
export interface RunInfo {
  readonly id: RunId;
  readonly workflow: string;
  readonly version: string;
  readonly status: RunStatus;
  readonly input: unknown;
  /** The result, once succeeded. */
  readonly output: unknown;
  /** What it threw, once failed or cancelled, or why it was paused. */
  readonly error: unknown;
  readonly parentId: string | undefined;
  /** Who runs it, or ran it last. */
  readonly executor: string | undefined;
  /** How often it has been claimed. */
  readonly epoch: number;
  /** How often its owner died. */
  readonly recoveries: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
  readonly startedAt: Date | undefined;
  readonly finishedAt: Date | undefined;
  /** queued or waiting: when it may be claimed; undefined for not before a wake-up. */
  readonly dueAt: Date | undefined;
  readonly deadlineAt: Date | undefined;
}

/** A recorded operation of a run, in the order in which results reached its code. */
export interface StepInfo {
  readonly seq: number;
  readonly name: string;
  /** The how-manieth call of that name, from 1. */
  readonly occurrence: number;
  readonly kind: string;
  readonly output: unknown;
  readonly error: unknown;
  readonly childId: string | undefined;
  readonly startedAt: Date;
  readonly finishedAt: Date;
}

/** Options of cancelling. */
export interface CancelOptions {
  /** Cancels everything that the run has started as well, down the tree. Default: false. */
  readonly children?: boolean;
}

/** Options of resuming. */
export interface ResumeOptions {
  /** Lets a run that was paused with NONDETERMINISM execute steps that its history lacks. Default: false. */
  readonly acceptNewSteps?: boolean;
}

/** `engine.runs`. */
export class Runs {
  readonly #database: Database;
  readonly #executor: Executor;
  readonly #tell: (news: News) => void;

  /** @internal */
  constructor(database: Database, executor: Executor, tell: (news: News) => void) {
    this.#database = database;
    this.#executor = executor;
    this.#tell = tell;
  }

  /** A run, or undefined when there is none of this id. Throws RUN_ID_INVALID. */
  async get(id: string): Promise<RunInfo | undefined> {
    const [row] = await selectRunsById(this.#database, [checkRunId(id)]);
    return row === undefined ? undefined : toInfo(row);
  }

  /** The history of a run; empty when there is none. Throws RUN_ID_INVALID. */
  async steps(id: string): Promise<readonly StepInfo[]> {
    const runId = checkRunId(id);
    const histories = await loadHistories(this.#database, [runId]);
    return (histories.get(runId)?.steps ?? []).map(({ output, error, startedAtMs, finishedAtMs, ...step }) => ({
      ...step,
      output: output === undefined ? undefined : decode(output, `step "${step.name}"`),
      error: error === undefined ? undefined : decodeError(error),
      startedAt: new Date(startedAtMs),
      finishedAt: new Date(finishedAtMs),
    }));
  }

  /**
   * Cancels a run: waits are cut at once, the signals of executing steps fire, and whoever awaits it gets RUN_CANCELLED.
   * A finished or unknown run stays as it is. Returns whether this call cancelled it. Safe to repeat.
   */
  async cancel(id: string, { children = false }: CancelOptions = {}): Promise<boolean> {
    const runId = checkRunId(id);
    const error = encodeError(new PerdureError('RUN_CANCELLED', { id: runId }));
    const cancelled = await cancelRuns(this.#database, [runId], error, children);
    const cut = cancelled.flatMap(({ interruption }) => interruption ?? []);
    this.#executor.interrupt(cut);
    const ended = cancelled.filter(({ isWatched }) => isWatched).map((run) => run.id);
    const awaited = cancelled.filter(({ isAwaited }) => isAwaited).map((run) => run.id);
    if (awaited.length > 0) await wakeWaiters(this.#database, awaited);
    if (cancelled.length > 0) this.#tell({ cut, ended, due: awaited.length > 0 ? true : undefined });
    return cancelled.some((run) => run.id === runId);
  }

  /**
   * Has a paused, failed or cancelled run go on behind its last recorded step. Its history stays: a step that failed and
   * was recorded fails again. A run in another state stays as it is. Throws RUN_NOT_FOUND.
   */
  async resume(id: string, { acceptNewSteps = false }: ResumeOptions = {}): Promise<boolean> {
    const runId = checkRunId(id);
    const resumed = await resumeRuns(this.#database, [runId], acceptNewSteps);
    if (resumed.length > 0) this.#tell({ due: true });
    else if ((await this.get(runId)) === undefined) throw new PerdureError('RUN_NOT_FOUND', { id: runId });
    return resumed.length > 0;
  }
}

function toInfo({
  output,
  error,
  input,
  createdAtMs,
  startedAtMs,
  finishedAtMs,
  dueAtMs,
  deadlineAtMs,
  attributes,
  ...run
}: RunRow): RunInfo {
  const { id, workflow, version, status, parentId, executor, epoch, recoveries } = run;
  const date = (ms: number | undefined): Date | undefined => (ms === undefined ? undefined : new Date(ms));
  return {
    id,
    workflow,
    version,
    status,
    input: decode(input, `the input of run ${id}`),
    output: output === undefined ? undefined : decode(output, `the result of run ${id}`),
    error: error === undefined ? undefined : decodeError(error),
    parentId,
    executor,
    epoch,
    recoveries,
    attributes: attributes ?? {},
    createdAt: new Date(createdAtMs),
    startedAt: date(startedAtMs),
    finishedAt: date(finishedAtMs),
    dueAt: date(dueAtMs),
    deadlineAt: date(deadlineAtMs),
  };
}

// Looking at runs and steering them, from outside.

import type { Executor } from '../run/executor.js';
import { checkReplay, type ReplayCheck } from '../run/replay-check.js';
import { emptyHistory } from '../run/run-host.js';
import type { News } from '../services/notifier.js';
import type { Database } from '../store/database.js';
import { listRuns } from '../store/list-runs.js';
import { resumeRuns, selectRunsById } from '../store/runs.js';
import { cancelRuns, deleteRuns, dropFailedStep, pauseRuns } from '../store/steer-runs.js';
import { loadHistories, selectSteps } from '../store/steps.js';
import { wakeWaiters } from '../store/waiters.js';
import { PerdureError } from '../values/errors.js';
import { checkRunId, type RunId } from '../values/ids.js';
import { encodeError } from '../values/serialize.js';
import { checkFlag, refuseUnknown, requireList } from '../values/unknown-options.js';
import { checkLimit, parseListOptions, toCursor, type ListOptions, type RunPage } from './list.js';
import { toInfo, toStepInfo, toSummary, type RunInfo, type StepInfo } from './run-info.js';

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

/** Options of deleting. */
export interface DeleteOptions {
  /** Deletes everything that the run has started as well, down the tree. Otherwise that stays, without a parent. Default: false. */
  readonly children?: boolean;
}

/** Which part of a history. */
export interface StepsOptions {
  /** Only steps behind this `seq`: for the next page, that of the last one. Default: 0. */
  readonly after?: number;
  /** 1 to 1,000. Default: all of them. */
  readonly limit?: number;
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

  /**
   * A page of runs, newest first. Runs that start meanwhile shift nothing: a page goes on where the one before has ended. Payloads are
   * left out; `get` has them. Throws OPTION_INVALID.
   *
   * @example
   * const { runs, cursor } = await engine.runs.list({ workflow: 'checkout', status: ['failed', 'paused'], limit: 20 });
   */
  async list(options: ListOptions = {}): Promise<RunPage> {
    const page = parseListOptions(options);
    const { runs, end } = await listRuns(this.#database, page);
    const isLast = end === undefined || runs.length < page.limit;
    return { runs: runs.map(toSummary), cursor: isLast ? undefined : toCursor(end) };
  }

  /** The history of a run, or a page of it; empty when there is none. Throws RUN_ID_INVALID, OPTION_INVALID. */
  async steps(id: string, options: StepsOptions = {}): Promise<readonly StepInfo[]> {
    const runId = checkRunId(id);
    refuseUnknown(options, { after: true, limit: true }, 'histories');
    const { after = 0, limit } = options;
    if (!Number.isSafeInteger(after) || after < 0 || after > 2 ** 31 - 1)
      throw new PerdureError('OPTION_INVALID', { option: 'after', value: after, reason: 'it is no seq of a step' });
    const most = limit === undefined ? undefined : checkLimit(limit);
    return (await selectSteps(this.#database, runId, { after, limit: most })).map(toStepInfo);
  }

  /**
   * Replays the recorded history of a run against the code that this engine has, and tells whether it fits: before a deployment, of
   * runs in flight, or in a test, of a run that has ended. No step is executed and nothing is written; plain code between the steps
   * runs, as in any replay. Throws RUN_NOT_FOUND, WORKFLOW_UNKNOWN.
   *
   * @example
   * const { fits, error } = await engine.runs.checkReplay('order-7');
   */
  async checkReplay(id: string): Promise<ReplayCheck> {
    const runId = checkRunId(id);
    const [row] = await selectRunsById(this.#database, [runId]);
    if (row === undefined) throw new PerdureError('RUN_NOT_FOUND', { id: runId });
    const { registry } = this.#executor.options;
    const definition = registry.find(row.workflow, row.version);
    if (definition?.run === undefined)
      throw new PerdureError('WORKFLOW_UNKNOWN', { workflow: row.workflow, known: registry.names });
    const history = (await loadHistories(this.#database, [runId])).get(runId) ?? emptyHistory;
    const { createdAtMs, startedAtMs = createdAtMs } = row;
    const never = { deadlineAtMs: undefined, timeoutMs: undefined, acceptsNewSteps: false };
    const seed = { ...row, ...never, definition, history, startedAtMs, isContinued: true };
    return checkReplay({ seed, hasSucceeded: row.status === 'succeeded', host: this.#executor });
  }

  /**
   * Cancels a run: waits are cut at once, the signals of executing steps fire, and whoever awaits it gets RUN_CANCELLED.
   * A finished or unknown run stays as it is. Returns whether this call cancelled it. Safe to repeat. Throws RUN_ID_INVALID, OPTION_INVALID.
   */
  async cancel(id: string, options: CancelOptions = {}): Promise<boolean> {
    return (await this.cancelMany([id], options)).length > 0;
  }

  /** Cancels many runs in one act, as `cancel` does; returns the ids of those that this call cancelled. Safe to repeat. */
  async cancelMany(ids: readonly string[], options: CancelOptions = {}): Promise<readonly RunId[]> {
    refuseUnknown(options, { children: true }, 'cancellations');
    const children = checkFlag(options.children, 'children');
    const runIds = checkRunIds(ids);
    const error = encodeError(new PerdureError('RUN_CANCELLED', { id: '{id}' }));
    const cancellation = { ids: runIds, error, children };
    const cancelled = [...(await cancelRuns(this.#database, cancellation))];
    // A child whose start was under way is there once its parent is cancelled, but not in what the statement saw.
    for (let left = children ? cancelled.length : 0; left > 0;) {
      const missed = await cancelRuns(this.#database, cancellation);
      left = missed.length;
      cancelled.push(...missed);
    }
    const cut = cancelled.flatMap(({ interruption }) => interruption ?? []);
    this.#executor.interrupt(cut);
    const ended = cancelled.filter(({ isWatched }) => isWatched).map((run) => run.id);
    const awaited = cancelled.filter(({ isAwaited }) => isAwaited).map((run) => run.id);
    if (awaited.length > 0) await wakeWaiters(this.#database, awaited);
    if (cancelled.length > 0) this.#tell({ cut, ended, due: awaited.length > 0 ? true : undefined });
    const asked = new Set(runIds);
    return cancelled.map((run) => run.id).filter((id) => asked.has(id));
  }

  /**
   * Pauses an unfinished run until it is resumed: it leaves memory, and the signals of executing steps fire; such a step is
   * executed again after the resume. Its children go on. Returns whether this call paused it; a run that is paused or finished stays as it is.
   * Throws RUN_NOT_FOUND.
   */
  async pause(id: string): Promise<boolean> {
    const runId = checkRunId(id);
    const paused = await pauseRuns(this.#database, [runId]);
    const cut = paused.flatMap(({ interruption }) => interruption ?? []);
    this.#executor.interrupt(cut);
    if (cut.length > 0) this.#tell({ cut });
    if (paused.length === 0) await this.#requireAll([runId]);
    return paused.length > 0;
  }

  /**
   * Has a paused, failed or cancelled run go on behind its last recorded step. Its history stays: a step that failed and
   * was recorded fails again; see `retry`. A delay or deadline counts no more, a timeout counts anew. A run in another state stays as it is.
   * Throws RUN_NOT_FOUND.
   */
  async resume(id: string, options: ResumeOptions = {}): Promise<boolean> {
    return (await this.resumeMany([id], options)).length > 0;
  }

  /**
   * Has many runs go on in one act, as `resume` does; returns the ids of those that this call resumed.
   * Throws RUN_NOT_FOUND if one of them does not exist; then none is resumed.
   */
  async resumeMany(ids: readonly string[], options: ResumeOptions = {}): Promise<readonly RunId[]> {
    refuseUnknown(options, { acceptNewSteps: true }, 'resumptions');
    const runIds = checkRunIds(ids);
    const resumed = new Set(
      await resumeRuns(this.#database, runIds, checkFlag(options.acceptNewSteps, 'acceptNewSteps')),
    );
    if (resumed.size > 0) this.#tell({ due: true });
    else await this.#requireAll(runIds);
    return runIds.filter((id) => resumed.has(id));
  }

  /**
   * Resumes a failed or cancelled run, and executes its last recorded step again if that one failed, with a fresh budget of
   * attempts. Where the failed step was a child, retry the child first: its outcome is asked for again. Returns whether this call resumed the run.
   * Throws RUN_NOT_FOUND.
   *
   * @example
   * for (const { id } of (await engine.runs.list({ workflow: 'checkout', status: 'failed' })).runs) await engine.runs.retry(id);
   */
  async retry(id: string): Promise<boolean> {
    // Two acts: a process that dies between them leaves a failed run that goes on as meant when it is retried or resumed.
    await dropFailedStep(this.#database, checkRunId(id));
    return this.resume(id);
  }

  /**
   * Deletes a finished run with everything that was recorded of it. Returns whether there was one: a missing id is no harm.
   * A later run of the same id has nothing of it, and does not take children that were left for its own: it gets RUN_EXISTS for their ids.
   * Throws RUN_STATE_CONFLICT if the run, or one of the children that are to go with it, is unfinished; then nothing is deleted.
   */
  async delete(id: string, options: DeleteOptions = {}): Promise<boolean> {
    refuseUnknown(options, { children: true }, 'deletions');
    const { ids, unfinished } = await deleteRuns(
      this.#database,
      [checkRunId(id)],
      checkFlag(options.children, 'children'),
    );
    if (unfinished !== undefined) throw new PerdureError('RUN_STATE_CONFLICT', { ...unfinished, action: 'be deleted' });
    return ids.length > 0;
  }

  async #requireAll(ids: readonly RunId[]): Promise<void> {
    const found = new Set((await selectRunsById(this.#database, ids)).map((run) => run.id));
    const missing = ids.find((id) => !found.has(id));
    if (missing !== undefined) throw new PerdureError('RUN_NOT_FOUND', { id: missing });
  }
}

function checkRunIds(ids: readonly string[]): readonly RunId[] {
  requireList(ids, 'ids');
  return ids.map(checkRunId);
}

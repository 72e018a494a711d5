// How claimed runs come into the memory of an executor, with their histories: after their claim was committed, or before.

import type { Database } from '../store/database.js';
import { settleRuns, type LockedRuns, type SettledClaim } from '../store/open-claims.js';
import type { PooledTransaction } from '../store/pooled-transaction.js';
import type { ClaimedRun } from '../store/queues.js';
import { loadHistories, type History } from '../store/steps.js';
import { wakeWaiters } from '../store/waiters.js';
import { PerdureError } from '../values/errors.js';
import type { ExecutorId, RunId } from '../values/ids.js';
import type { Registry, WorkflowDefinition } from './definition.js';
import type { Journal } from './journal.js';
import type { CommitNews } from './journal-lane.js';
import { OpenClaim } from './open-claim.js';
import { persist } from './persist.js';
import { Run } from './run.js';
import { emptyHistory, type RunHost, type RunSeed } from './run-host.js';
import { continueRun } from './run-workflow.js';

/** What adopting needs from the executor besides what runs need. */
export interface AdopterOptions {
  readonly host: RunHost;
  readonly database: Database;
  readonly registry: Registry;
  readonly journal: Journal;
  /** Whether the executor still goes by this id. */
  readonly isStill: (id: ExecutorId) => boolean;
  readonly findLive: (id: RunId) => Run | undefined;
  readonly admit: (run: Run) => void;
  readonly discard: (run: Run, reason: string) => void;
  readonly onCommitted: (news: CommitNews) => void;
}

// Between portions the process does other things. What has not begun by then begins after the claim: the runs are locked meanwhile.
const beganAtOnce = 50;
const longestBeginMs = 25;
// So is what would make the statement too large.
const maxCharacters = 4 * 1024 * 1024;

/** Adopts claimed runs. */
export class Adopter {
  readonly #options: AdopterOptions;

  constructor(options: AdopterOptions) {
    this.#options = options;
  }

  /** Goes on with runs that were claimed under the id `by`. Their histories are loaded with one statement. */
  async adopt(claims: readonly ClaimedRun[], by: ExecutorId): Promise<void> {
    for (const run of await this.#load(claims, by)) {
      this.#admit(run);
      continueRun(run);
    }
  }

  /**
   * Begins runs that `transaction` has locked, and ends it: with what has become of them until then. Returns whether most of those that
   * began have ended.
   * Throws what the database throws; then they are in line as before.
   */
  async adoptOpenly(
    { runs, claimedAtMs }: LockedRuns,
    transaction: PooledTransaction,
    by: ExecutorId,
  ): Promise<boolean> {
    const claim = new OpenClaim();
    const { isStill, discard, journal } = this.#options;
    let unbegun: readonly Run[];
    let settled: SettledClaim;
    try {
      unbegun = await this.#begin(await this.#load(runs, by), claim);
      settled = await settleRuns(transaction, by, { claimedAtMs, rows: claim.send() });
      if (!settled.isOwner || !isStill(by)) throw new PerdureError('EXECUTOR_FENCED', { executor: by });
      await transaction.commit();
      if (!isStill(by)) throw new PerdureError('EXECUTOR_FENCED', { executor: by }); // they are others' by now
    } catch (error) {
      claim.undo((run) => discard(run, 'its claim was not committed'));
      throw error;
    }
    const ended = claim.settle(settled.settledIds && new Set(settled.settledIds), journal);
    for (const run of unbegun) if (run.isActive) continueRun(run);
    this.#tell(settled, runs);
    return ended >= (runs.length - unbegun.length) / 2;
  }

  async #load(claims: readonly ClaimedRun[], by: ExecutorId): Promise<readonly Run[]> {
    const { host, database, registry, isStill } = this.#options;
    const replayed = claims.filter(({ epoch }) => epoch > 1).map(({ id }) => id);
    let tries = 0;
    const load = (): ReturnType<typeof loadHistories> => (tries++, loadHistories(database, replayed));
    // Those that come while it drains are loaded too, and handed over: they are owned here.
    const isOver = (): boolean => host.isDraining && tries > 0;
    const histories = await persist(load, { ...host.persistence('loading histories'), isOver });
    if (histories === undefined || !isStill(by)) return [];
    const runs: Run[] = [];
    for (const claim of claims) {
      const definition = registry.find(claim.workflow, claim.version);
      if (definition === undefined) continue; // unregistered since the claim: the next sweep releases it
      runs.push(new Run(host, toSeed(claim, definition, histories.get(claim.id))));
    }
    return runs;
  }

  #admit(run: Run): void {
    const { findLive, admit, host } = this.#options;
    // It was taken from this executor, which has not heard of that yet.
    findLive(run.id)?.abandon(new PerdureError('EXECUTOR_FENCED', { executor: host.executorId }));
    admit(run);
  }

  // Returns those that have to wait: code that computes for long must not hold up the others' claim.
  async #begin(members: readonly Run[], claim: OpenClaim): Promise<readonly Run[]> {
    for (const run of members) {
      claim.admit(run);
      this.#admit(run);
    }
    let at = 0;
    for (let spentMs = 0; at < members.length && spentMs < longestBeginMs; at += beganAtOnce) {
      if (claim.characters > maxCharacters) break;
      const beganAt = performance.now();
      for (const run of members.slice(at, at + beganAtOnce)) continueRun(run);
      await new Promise((resolve) => process.nextTick(resolve)); // what they do at once, they do before that
      spentMs += performance.now() - beganAt;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return members.slice(at);
  }

  #tell({ watchedIds, woken, unwoken }: SettledClaim, runs: readonly ClaimedRun[]): void {
    const { database, host, onCommitted } = this.#options;
    if (watchedIds.length + woken > 0) onCommitted({ watchedIds, touchedIds: [], hasDue: woken > 0 });
    if (unwoken === 0) return;
    const ids = runs.map(({ id }) => id);
    const wake = persist(() => wakeWaiters(database, ids), host.persistence('waking waiters'));
    void wake.then(
      (woken = 0) => woken > 0 && onCommitted({ watchedIds: [], touchedIds: [], hasDue: true }),
      (err: unknown) => host.logger.error({ err }, 'waiters were not woken; a sweep does it'),
    );
  }
}

// Field by field: to spread an object that has times in it costs 5 µs and 1.2 kB (Node 20).
function toSeed(claim: ClaimedRun, definition: WorkflowDefinition, history: History | undefined): RunSeed {
  return {
    id: claim.id,
    definition,
    queue: claim.queue,
    input: claim.input,
    epoch: claim.epoch,
    startedAtMs: claim.startedAtMs,
    deadlineAtMs: claim.deadlineAtMs,
    timeoutMs: claim.timeoutMs,
    attributes: claim.attributes,
    history: history ?? emptyHistory,
    acceptsNewSteps: claim.acceptsNewSteps,
    isContinued: claim.isContinued,
  };
}

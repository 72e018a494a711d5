// The sign of life of an executor, and what comes with it: the database's time, runs that others have interrupted, and
// the end of executors that give no sign any more. A blocked event loop looks like death, so its lag is watched here.

import type { Executor } from '../run/executor.js';
import type { Database } from '../store/database.js';
import { heartbeat, recoverRuns } from '../store/executors.js';
import { countOpenClaims } from '../store/open-claims.js';
import { wakeForgotten } from '../store/waiters.js';
import { PerdureError } from '../values/errors.js';
import type { Logger } from '../values/logger.js';
import { encodeError } from '../values/serialize.js';
import { Service } from './service.js';

/** What the heartbeat works with. */
export interface HeartbeatOptions {
  readonly database: Database;
  readonly executor: Executor;
  readonly leaseMs: number;
  /** Some dead executor may still have runs. */
  readonly onDead: () => void;
  /** The database's time has leapt forward: what was to come later may be due. */
  readonly onLeap: () => void;
}

// Three signs fit into a lease, so that one lost sign is no death.
const beatsPerLease = 3;
const recoveryBatch = 500;
// A process whose answer was lost may leave waiters without dying.
const forgottenEveryMs = 60_000;

/** The heartbeat of one executor. */
export function heartbeatService(options: HeartbeatOptions): Service {
  const { executor, leaseMs } = options;
  let lastBeat = performance.now();
  let isLate = false;
  const round = async (): Promise<number> => {
    const silentMs = performance.now() - lastBeat;
    // Once for each silence: while the database is away, every attempt would say it again.
    if (silentMs > leaseMs / 2 && !isLate) {
      isLate = true;
      const fields = { silentMs: Math.round(silentMs), leaseMs };
      executor.logger.warn(
        fields,
        'the event loop or the database kept the heartbeat waiting; past the lease, runs are taken over',
      );
    }
    const hasDead = await beat(options);
    lastBeat = performance.now();
    isLate = false;
    if (hasDead) options.onDead();
    return leaseMs / beatsPerLease;
  };
  return new Service({ name: 'heartbeat', round, logger: executor.logger, retryMs: Math.min(500, leaseMs / 10) });
}

// Whether there are dead executors whose runs may need recovering.
async function beat({ database, executor, onLeap }: HeartbeatOptions): Promise<boolean> {
  const { executorId: id, logger } = executor;
  const askedAt = performance.now();
  const answer = await heartbeat(database.vital, id, executor.options.registry.hostKeys);
  if (answer === undefined) {
    await executor.fenced(id);
    return false;
  }
  if (executor.clock.set(answer.nowMs, askedAt)) onLeap();
  if (answer.interruptedRuns.length > 0) executor.interrupt(answer.interruptedRuns);
  for (const { id: dead, host, pid, silentMs } of answer.buried) {
    const fields = { executor: dead, host, pid, silentMs: Math.round(silentMs) };
    logger.warn(fields, 'executor declared dead: its runs are taken over');
  }
  return answer.hasDead;
}

/** What recovery works with. */
export interface RecoveryOptions {
  readonly database: Database;
  readonly maxRecoveries: number;
  readonly logger: Logger;
  /** Runs were freed: claims find something. */
  readonly onRecovered: (runs: number, failedIds: readonly string[]) => void;
}

/**
 * Frees the runs of dead executors when it is poked: beside the heartbeat, which must not wait for it. In bounded portions:
 * a mass failure makes neither a huge transaction nor long locks. Then wakes whom they have left waiting.
 */
export function recoveryService({ database, maxRecoveries, logger, onRecovered }: RecoveryOptions): Service {
  const crashLimitError = encodeError(new PerdureError('RUN_CRASH_LIMIT', { id: '{id}', limit: maxRecoveries + 1 }));
  const limits = { limit: recoveryBatch, maxRecoveries, crashLimitError };
  const round = async (): Promise<number> => {
    const { recovered, failedIds, hasNotes } = await recoverRuns(database, limits);
    if (recovered + failedIds.length > 0) onRecovered(recovered, failedIds);
    if (recovered + failedIds.length === recoveryBatch) return 0;
    if (hasNotes) {
      // Last, because it waits for a process that hangs and still holds its runs.
      const opened = await countOpenClaims(database, limits);
      if (opened.counted + opened.failedIds.length > 0) onRecovered(opened.counted, opened.failedIds);
    }
    const woken = await wakeForgotten(database);
    if (woken > 0) onRecovered(woken, []);
    return forgottenEveryMs;
  };
  return new Service({ name: 'recovery', round, logger, retryMs: 250 });
}

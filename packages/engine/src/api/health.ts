// How an engine is doing, for health checks and people.

import type { Executor } from '../run/executor.js';
import type { StrandedWatch } from '../services/stranded.js';
import type { Database } from '../store/database.js';
import { askHealth, type DatabaseHealth } from '../store/health.js';
import { newestMigration } from '../store/migrate.js';
import { PerdureError } from '../values/errors.js';
import type { ExecutorId } from '../values/ids.js';

/** How an engine is doing. */
export interface Health {
  readonly database: 'up' | 'down';
  /** How long the database took to answer, or how long it was given. */
  readonly latencyMs: number;
  /** Why the database is down. */
  readonly error: unknown;
  readonly schema: {
    readonly name: string;
    /** The newest migration that is applied; undefined while the database is down. */
    readonly migration: number | undefined;
    /** The newest migration that this release knows. */
    readonly newestKnown: number;
  };
  readonly executor: {
    readonly id: ExecutorId;
    /** Since the last sign of life; past the lease, runs are taken over. Undefined: declared dead, or unknown. */
    readonly heartbeatAgeMs: number | undefined;
    readonly leaseMs: number;
    /** Runs in memory. */
    readonly liveRuns: number;
    /** The engine is being closed. */
    readonly isDraining: boolean;
  };
  /** Due runs that no live executor can claim, as of the last look, which is at most half a minute old. */
  readonly stranded: ReturnType<StrandedWatch['last']>;
}

const patienceMs = 5_000;

/** Asks the database, and gives up after five seconds. Never throws. */
export async function checkHealth(database: Database, executor: Executor, stranded: StrandedWatch): Promise<Health> {
  const askedAt = performance.now();
  const answer = await ask(database, executor.executorId).catch((error: unknown) => ({ error }));
  const known: Partial<DatabaseHealth> = 'error' in answer ? {} : answer;
  return {
    database: 'error' in answer ? 'down' : 'up',
    latencyMs: performance.now() - askedAt,
    error: 'error' in answer ? answer.error : undefined,
    schema: { name: database.schema, migration: known.migration, newestKnown: newestMigration },
    executor: {
      id: executor.executorId,
      heartbeatAgeMs: known.heartbeatAgeMs,
      leaseMs: executor.options.leaseMs,
      liveRuns: executor.knownRuns.ids.length,
      isDraining: executor.isDraining,
    },
    stranded: stranded.last(),
  };
}

async function ask(database: Database, id: ExecutorId): Promise<DatabaseHealth> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    const { target } = database;
    const reason = `no answer within ${patienceMs} ms`;
    timer = setTimeout(() => reject(new PerdureError('DATABASE_UNREACHABLE', { target, reason })), patienceMs);
  });
  try {
    return await Promise.race([askHealth(database, id), timeout]);
  } finally {
    clearTimeout(timer);
  }
}

// How an executor makes itself known in the database.

import { hostname } from 'node:os';
import { insertExecutor } from '../store/executors.js';
import type { ExecutorId } from '../values/ids.js';
import type { ExecutorOptions } from './executor-options.js';

/** Announces an executor under an id, with what it hosts and the queues that it serves. */
export async function announceExecutor(
  { database, registry, leaseMs }: ExecutorOptions,
  id: ExecutorId,
  queues: readonly string[] | undefined,
): Promise<void> {
  await insertExecutor(database, {
    id,
    host: hostname(),
    pid: process.pid,
    leaseMs,
    workflows: registry.hostKeys,
    queues,
  });
}

// Starting runs in a transaction of the application: they exist exactly if it commits, and are claimed from then on.

import { findDedupHolder, type QueuedStart } from '../store/queue-starts.js';
import type { Queryable } from '../store/sql.js';
import { findWorkflowsInTransaction, insertRunsInTransaction } from '../store/transaction-starts.js';
import { PerdureError } from '../values/errors.js';
import { newRunId, type RunId } from '../values/ids.js';
import type { NewRun } from './run-host.js';

/** A run that a transaction starts, or found. */
export interface TransactionTicket {
  readonly id: RunId;
  readonly isNew: boolean;
}

/** What a transaction has started. */
export interface StartsInTransaction {
  readonly tickets: readonly TransactionTicket[];
  readonly xid: string;
}

/** The row of a run that nobody owns yet. */
export function toQueuedStart(newRun: NewRun): QueuedStart {
  const { definition, id = newRunId(), input, delayMs, attributes, place } = newRun;
  const { name: workflow, version } = definition;
  const timeoutMs = newRun.isUnlimited === true ? undefined : (newRun.timeoutMs ?? definition.timeoutMs);
  return { id, workflow, version, input, delayMs, timeoutMs, attributes, place };
}

/**
 * Starts these runs, in their order. None of the errors that it throws by itself makes the transaction fail, so the caller may
 * catch them and commit the rest. Throws RUN_ID_CONFLICT, RUN_EXISTS, DEDUP_CONFLICT.
 */
export async function startInTransaction(
  transaction: Queryable,
  newRuns: readonly NewRun[],
): Promise<StartsInTransaction> {
  const rows = newRuns.map(toQueuedStart);
  const { startedIds, xid } = await insertRunsInTransaction(transaction, rows);
  const missing = rows.filter(({ id }) => !startedIds.has(id)).map(({ id }) => id);
  const workflows =
    missing.length === 0 ? new Map<string, string>() : await findWorkflowsInTransaction(transaction, missing);
  const fresh = new Set(startedIds); // an id may be there twice
  const tickets: TransactionTicket[] = [];
  for (const [index, newRun] of newRuns.entries()) {
    const id = rows[index]?.id ?? newRunId();
    if (fresh.delete(id)) tickets.push({ id, isNew: true });
    else tickets.push(await findExisting(transaction, { ...newRun, id }, workflows.get(id)));
  }
  return { tickets, xid };
}

async function findExisting(
  transaction: Queryable,
  newRun: NewRun & { readonly id: RunId },
  existing: string | undefined,
): Promise<TransactionTicket> {
  const { id, definition, place, rejectsDuplicate } = newRun;
  const workflow = definition.name;
  if (existing !== undefined) {
    if (existing !== workflow) throw new PerdureError('RUN_ID_CONFLICT', { id, workflow, existing });
    if (rejectsDuplicate === true) throw new PerdureError('RUN_EXISTS', { id, workflow });
    return { id, isNew: false };
  }
  const holder =
    place?.dedupKey === undefined ? undefined : await findDedupHolder(transaction, place.queue, place.dedupKey);
  if (place?.dedupKey === undefined || holder === undefined) return startAgain(transaction, newRun);
  if (rejectsDuplicate === true || holder.workflow !== workflow) {
    const { queue, dedupKey } = place;
    throw new PerdureError('DEDUP_CONFLICT', { id, existing: holder.id, queue, dedupKey });
  }
  return { id: holder.id, isNew: false };
}

// Whoever had the id or the key is gone in between.
async function startAgain(transaction: Queryable, newRun: NewRun): Promise<TransactionTicket> {
  const { tickets } = await startInTransaction(transaction, [newRun]);
  const [ticket] = tickets;
  if (ticket === undefined) throw new PerdureError('RUN_NOT_FOUND', { id: newRun.id ?? '' });
  return ticket;
}

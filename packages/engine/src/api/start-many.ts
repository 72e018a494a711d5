// Starting many runs at once: one statement per thousand, in the order given.

import type { Run } from '../run/run.js';
import { persist } from '../run/persist.js';
import type { NewRun, Ticket } from '../run/run-host.js';
import { toQueuedStart } from '../run/start-in-transaction.js';
import { startChildIn } from '../run/waits.js';
import {
  bulkSize,
  insertNewRuns,
  insertRuns,
  takePositions,
  type Bulk,
  type QueuedStart,
} from '../store/queue-starts.js';
import { selectRunsById, type RunRow } from '../store/runs.js';
import { PerdureError } from '../values/errors.js';
import { newRunId, type RunId } from '../values/ids.js';
import { refuseUnknown, requireList } from '../values/unknown-options.js';
import type { WorkflowDefinition } from '../run/definition.js';
import { startInCallersTransaction, type InTransaction, type TransactionHost } from './in-transaction.js';
import { commonOptions, findCallingRun, toNewRun, toNewRunNow, type StartOptions } from './start.js';

/** One of many starts: its input, and the options of a start. A taken id or dedup key gives the handle of the run that has it. */
export type BulkStart<Input> = Omit<StartOptions, 'onDuplicate'> &
  (undefined extends Input ? { readonly input?: Input } : { readonly input: Input });

// Portions under way at once: while the database inserts one, the next is made ready, and commits wait together.
const portionsAtOnce = 3;
const patienceMs = 10_000;

/** What `startMany` starts. */
export interface ManyStarts extends InTransaction {
  readonly definition: WorkflowDefinition;
  readonly starts: readonly BulkStart<unknown>[];
}

/** Checks all of them before the first is started. Tells the runs in the order of `starts`. */
export async function startMany(
  starter: TransactionHost,
  { definition, starts, transaction }: ManyStarts,
): Promise<readonly Ticket[]> {
  const { executor } = starter;
  const caller = transaction === undefined ? findCallingRun(executor) : undefined;
  requireList(starts, 'starts');
  for (const start of starts) checkStart(start);
  const check = (start: BulkStart<unknown>): Promise<NewRun> => toNewRun(definition, start.input, start, executor);
  if (caller !== undefined) return startChildren(caller, definition, starts.map(check));
  // A promise for each, where nothing has to be awaited, would cost as much as the checks.
  const newRuns =
    definition.inputSchema === undefined
      ? starts.map((start) => toNewRunNow(definition, { input: start.input, options: start }, executor))
      : await Promise.all(starts.map(check));
  if (transaction !== undefined) return startInCallersTransaction(starter, transaction, newRuns);
  await executor.starter.requireQueues([...new Set(newRuns.flatMap(({ place }) => place?.queue ?? []))]);
  return startPortions(starter, definition, newRuns);
}

const bulkOptions: Readonly<Record<keyof BulkStart<unknown>, true>> = { ...commonOptions, input: true };

// A program without types may pass the inputs themselves, and would start as many runs without one.
function checkStart(start: BulkStart<unknown> | null): void {
  if (typeof start === 'object' && start !== null && !Array.isArray(start))
    return refuseUnknown(start, bulkOptions, 'starts of many');
  throw new PerdureError('OPTION_INVALID', { option: 'starts', value: start, reason: 'give objects with input' });
}

// Each portion knows its positions, so whichever commits first, the order is that of `starts`.
async function startPortions(
  starter: TransactionHost,
  definition: WorkflowDefinition,
  newRuns: readonly NewRun[],
): Promise<readonly Ticket[]> {
  const bulks = Math.ceil(newRuns.length / bulkSize);
  if (bulks <= 1) return startPortion(starter, { definition, newRuns, position: undefined });
  const { answer: positions } = await patiently(starter, newRuns[0]?.id, () => takePositions(starter.database, bulks));
  const portions = [...positions.entries()];
  const tickets: (readonly Ticket[])[] = [];
  const startThem = async (): Promise<void> => {
    for (let next; (next = portions.shift()) !== undefined;) {
      const [index, position] = next;
      const some = newRuns.slice(index * bulkSize, (index + 1) * bulkSize);
      tickets[index] = await startPortion(starter, { definition, newRuns: some, position });
    }
  };
  try {
    await Promise.all(Array.from({ length: hasTwins(newRuns) ? 1 : portionsAtOnce }, startThem));
  } finally {
    portions.length = 0; // after a failure no other begins
  }
  return tickets.flat();
}

// Two starts of one id or dedup key are one run, that of the first: so its portion goes first. At once, portions would also wait for each other.
function hasTwins(newRuns: readonly NewRun[]): boolean {
  const ids = newRuns.flatMap(({ id }) => id ?? []);
  const keys = newRuns.flatMap(({ place }) =>
    place?.dedupKey === undefined ? [] : [`${place.queue} ${place.dedupKey}`],
  );
  return new Set(ids).size < ids.length || new Set(keys).size < keys.length;
}

// In workflow code each start is recorded, as that of a child. The calls are made at once: how long it takes to check the inputs or
// to look for a queue must not decide their places among the calls of the run.
async function startChildren(
  run: Run,
  { name }: WorkflowDefinition,
  newRuns: readonly Promise<NewRun>[],
): Promise<readonly Ticket[]> {
  const all = Promise.all(newRuns);
  const starts = newRuns.map((newRun) => all.then(() => newRun));
  const ids = await Promise.all(starts.map((start) => startChildIn(run, name, start)));
  return ids.map((id) => ({ id, isNew: true, outcome: undefined }));
}

interface Portion {
  readonly definition: WorkflowDefinition;
  readonly newRuns: readonly NewRun[];
  /** Of the first. */
  readonly position: string | undefined;
}

async function startPortion(
  starter: TransactionHost,
  { definition, newRuns, position }: Portion,
): Promise<readonly Ticket[]> {
  const { name: workflow, version } = definition;
  const rows = newRuns.map(toQueuedStart);
  const bulk = { workflow, version, rows, position, createdAtMs: starter.executor.clock.now() };
  const started = await insert(starter, bulk, newRuns.every(isSurelyNew));
  starter.executor.options.onCommitted({ watchedIds: [], touchedIds: [], hasDue: true });
  if (started === undefined) return rows.map(({ id }) => ({ id, isNew: true, outcome: undefined }));
  const existing = new Map((await findMissing(starter, rows, started)).map(({ id, workflow }) => [id, workflow]));
  const fresh = new Set(started);
  return Promise.all(
    newRuns.map(async (newRun, index): Promise<Ticket> => {
      const id = rows[index]?.id ?? newRunId();
      const holder = existing.get(id);
      if (fresh.delete(id)) return { id, isNew: true, outcome: undefined }; // once: the id may be there twice
      if (started.has(id)) return { id, isNew: false, outcome: undefined };
      // Its dedup key is taken: the way of a single start finds the holder, or starts it after all.
      if (holder === undefined) return starter.executor.starter.start({ ...newRun, id });
      if (holder === workflow) return { id, isNew: false, outcome: undefined };
      throw new PerdureError('RUN_ID_CONFLICT', { id, workflow, existing: holder });
    }),
  );
}

// Nobody else has its id or its dedup key.
function isSurelyNew({ id, place }: NewRun): boolean {
  return id === undefined && place?.dedupKey === undefined;
}

// What the tries before have inserted counts as well.
async function insert(
  starter: TransactionHost,
  bulk: Bulk,
  areSurelyNew: boolean,
): Promise<ReadonlySet<string> | undefined> {
  const { database } = starter;
  let mayBeThere = !areSurelyNew;
  const { answer: started, hasFailed } = await patiently(starter, bulk.rows[0]?.id, () => {
    const insertThem = mayBeThere ? insertRuns : insertNewRuns;
    mayBeThere = true; // from the first try, if its answer is lost
    return insertThem(database, bulk);
  });
  if (started === undefined || !hasFailed) return started;
  const found = await findMissing(starter, bulk.rows, started);
  return new Set([...started, ...found.filter((run) => run.createdAtMs === bulk.createdAtMs).map(({ id }) => id)]);
}

// Starts are idempotent by their ids, so a lost answer is no reason to give up. Throws START_UNCONFIRMED after a while.
async function patiently<T>(
  { executor }: TransactionHost,
  id: RunId | undefined,
  ask: () => Promise<T>,
): Promise<{ readonly answer: T; readonly hasFailed: boolean }> {
  const giveUpAt = performance.now() + patienceMs;
  let reason: string | undefined;
  const found = await persist(async () => ({ answer: await ask() }), {
    isOver: () => performance.now() > giveUpAt,
    onFailure: (error) => {
      reason = String(error);
      executor.logger.warn({ err: error }, 'starting many runs failed; trying again');
    },
  });
  if (found !== undefined) return { ...found, hasFailed: reason !== undefined };
  throw new PerdureError('START_UNCONFIRMED', { id: id ?? '', reason: reason ?? 'the engine was closed' });
}

function findMissing(
  { database }: TransactionHost,
  rows: readonly QueuedStart[],
  started: ReadonlySet<string>,
): Promise<readonly RunRow[]> {
  return selectRunsById(
    database,
    rows.filter(({ id }) => !started.has(id)).map(({ id }) => id),
  );
}

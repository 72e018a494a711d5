// Starting runs: a row in the journal, and where there is room the run's code at once. The same path for callers from
// outside and for children.

import type { StartRow } from '../store/batch.js';
import type { Database } from '../store/database.js';
import { findKeyHolder, takeKeyFrom } from '../store/idempotency-keys.js';
import { findDedupHolder } from '../store/queue-starts.js';
import { selectRunsById, type RunRow } from '../store/runs.js';
import { isPerdureError, PerdureError } from '../values/errors.js';
import { newRunId, type RunId } from '../values/ids.js';
import type { Registry, WorkflowDefinition } from './definition.js';
import type { OpenTransactions } from './open-transactions.js';
import { persist } from './persist.js';
import type { QueueBook } from './queue-book.js';
import { Run } from './run.js';
import { emptyHistory, type ChildStart, type HostedRun, type NewRun, type RunHost } from './run-host.js';
import type { RunSeed, Ticket } from './run-host.js';
import { runWorkflow } from './run-workflow.js';

/** What starting needs from the executor besides what runs need. */
export interface StarterOptions {
  readonly host: RunHost;
  readonly database: Database;
  readonly registry: Registry;
  readonly queues: QueueBook;
  readonly transactions: OpenTransactions;
  /** How many more runs may be taken into memory. */
  readonly room: () => number;
  readonly findLive: (id: RunId) => Run | undefined;
  readonly admit: (run: Run) => void;
  /** The run never was: its id was taken. */
  readonly discard: (run: Run) => void;
}

/** Starts runs. */
export class Starter {
  readonly #options: StarterOptions;
  readonly #starting = new Map<RunId, { readonly workflow: string; readonly ticket: Promise<Ticket> }>();

  readonly #strangers = new Set<string>();

  constructor(options: StarterOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the run is durable, or was there before. Throws RUN_ID_CONFLICT, DEDUP_CONFLICT, QUEUE_UNKNOWN,
   * IDEMPOTENCY_KEY_REUSED, START_UNCONFIRMED; for a child also RUN_EXISTS.
   */
  start(newRun: NewRun | ChildStart, parent?: HostedRun): Promise<Ticket> {
    const { id, place } = newRun;
    const { queues, transactions } = this.#options;
    const holder = transactions.findHolder(newRun);
    if (holder !== undefined) return holder.then(() => this.start(newRun, parent));
    if (place !== undefined && !queues.has(place.queue))
      return this.requireQueues([place.queue]).then(() => this.start(newRun, parent));
    return id === undefined ? this.#insert(newRun, newRunId(), parent) : this.#startAs(id, newRun, parent);
  }

  // Under an id that was chosen: a run of it may be there.
  async #startAs(id: RunId, newRun: NewRun | ChildStart, parent: HostedRun | undefined): Promise<Ticket> {
    const { definition } = newRun;
    const live = this.#options.findLive(id);
    const starting = this.#starting.get(id);
    const existing = live?.seed.definition.name ?? starting?.workflow;
    if (existing !== undefined) checkSame(id, definition.name, existing);
    if (starting !== undefined) {
      const ticket = await starting.ticket.catch((failure: unknown) => {
        // It may have failed for a reason of its own: an earlier execution of the parent has been lost with it.
        if (parent === undefined && !isPerdureError(failure, 'STEP_ABORTED')) throw failure;
      });
      if (ticket === undefined) return this.start(newRun, parent);
      if (parent !== undefined) return this.#findExisting(newRun, id, parent);
      return (await this.#findKeyed(newRun)) ?? { ...ticket, isNew: false };
    }
    if (live !== undefined && parent !== undefined) return this.#findExisting(newRun, id, parent);
    if (live !== undefined) return this.#findKeyed(newRun).then((found) => found ?? attach(id));
    const ticket = this.#insert(newRun, id, parent);
    this.#starting.set(id, { workflow: definition.name, ticket });
    try {
      return await ticket;
    } finally {
      this.#starting.delete(id);
    }
  }

  /** Throws QUEUE_UNKNOWN for a queue that nobody has declared. */
  async requireQueues(names: readonly string[]): Promise<void> {
    const { queues } = this.#options;
    if (names.every((name) => queues.has(name))) return;
    await queues.refresh();
    const unknown = names.find((name) => !queues.has(name));
    if (unknown !== undefined) throw new PerdureError('QUEUE_UNKNOWN', { queue: unknown, known: queues.names });
  }

  #insert(newRun: NewRun | ChildStart, id: RunId, parent: HostedRun | undefined): Promise<Ticket> {
    const { host, registry, queues, admit, discard } = this.#options;
    const definition = registry.findHosted(newRun.definition);
    if (definition === undefined) this.#tellOfStranger(newRun.definition);
    const isOwned = definition !== undefined && this.#mayBegin(newRun, parent);
    const row = toRow(newRun, { id, isOwned, nowMs: host.clock.now(), parent });
    const run = isOwned ? new Run(host, toSeed(definition, row)) : undefined;
    if (run !== undefined) admit(run);
    return new Promise<Ticket>((resolve, reject) => {
      // The code of a run with a generated id may run before the commit: nobody else can have that id, and no user
      // function of a step starts before. A chosen id or a key may be taken, so its code waits.
      const isSafe = (newRun.id ?? newRun.place?.dedupKey ?? newRun.idempotency) === undefined;
      const start = host.journal.start(
        run ?? { lane: undefined, undurable: 0 },
        row,
        (settlement) => {
          if (settlement !== 'recorded' && run !== undefined) discard(run);
          if (settlement === 'refused' && parent !== undefined) host.lost(parent); // its code must not catch that
          if (settlement === 'refused' || settlement === 'rejected') return reject(lostParent(newRun));
          if (settlement === 'exists') return resolve(this.#findExisting(newRun, id, parent));
          if (settlement === 'queued') {
            queues.freshen(0);
            return resolve({ id, isNew: true, outcome: undefined });
          }
          run?.whenBegun(settlement);
          if (run?.isActive === true && !isSafe) runWorkflow(run);
          resolve(run?.ticket ?? { id, isNew: true, outcome: undefined });
        },
        // A parent waits for the database as long as it takes: not knowing is no result that it could go on with.
        (failure) => {
          if (parent === undefined || !isPerdureError(failure, 'START_UNCONFIRMED')) reject(failure);
        },
      );
      if (run === undefined) return;
      run.beginning = start;
      if (isSafe) runWorkflow(run);
    });
  }

  // Its code is here, but nobody said that this process runs it: meant for another process, or forgotten.
  #tellOfStranger({ name, run }: WorkflowDefinition): void {
    if (run === undefined || this.#strangers.has(name)) return;
    this.#strangers.add(name);
    const message =
      'a workflow is started that this engine does not host: list it under workflows, or start its contract';
    this.#options.host.logger.warn({ workflow: name }, message);
  }

  // A child never waits for its parent's slot, but in a queue it gets in line as everybody.
  #mayBegin({ delayMs, place }: NewRun, parent: HostedRun | undefined): boolean {
    const { host, queues, room } = this.#options;
    if (delayMs !== undefined || host.isDraining) return false;
    if (place === undefined) return parent !== undefined || room() > 0;
    queues.isBehind ||= room() === 0;
    return parent === undefined && room() > 0 && queues.mayBegin(place.queue);
  }

  // The run that has the key of a start. A key whose time is over is free from then on.
  async #findKeyed({ idempotency, definition }: NewRun): Promise<Ticket | undefined> {
    if (idempotency === undefined) return undefined;
    const { database } = this.#options;
    const holder = await findKeyHolder(database, idempotency);
    if (holder === undefined) return undefined;
    const { id, fingerprint, workflow, isExpired } = holder;
    if (isExpired) return takeKeyFrom(database, id, idempotency.key).then(() => undefined);
    if (fingerprint === idempotency.fingerprint && workflow === definition.name) return attach(id);
    throw new PerdureError('IDEMPOTENCY_KEY_REUSED', { id, workflow });
  }

  // A parent does not give up here either: a lost connection would become its child's result.
  async #findExisting(newRun: NewRun | ChildStart, id: RunId, parent: HostedRun | undefined): Promise<Ticket> {
    const { definition, place, rejectsDuplicate } = newRun;
    const keyed = await this.#findKeyed(newRun);
    if (keyed !== undefined) return keyed;
    const [existing] = await this.#find(parent, () => selectRunsById(this.#options.database, [id]));
    if (existing !== undefined) {
      checkSame(id, definition.name, existing.workflow);
      if (parent !== undefined) checkOwn(newRun, existing, parent);
      return attach(id);
    }
    if (place?.dedupKey === undefined && newRun.idempotency !== undefined) return this.#insert(newRun, id, parent); // it is free by now
    if (place?.dedupKey === undefined)
      throw parent === undefined ? new PerdureError('RUN_NOT_FOUND', { id }) : lostParent(newRun);
    const { queue, dedupKey } = place;
    const holder = await this.#find(parent, () => findDedupHolder(this.#options.database, queue, dedupKey));
    if (holder === undefined) return this.#insert(newRun, id, parent); // it has finished in between
    if (rejectsDuplicate === true || holder.workflow !== definition.name) {
      throw new PerdureError('DEDUP_CONFLICT', { id, existing: holder.id, queue, dedupKey });
    }
    return attach(holder.id);
  }

  async #find<T>(parent: HostedRun | undefined, find: () => Promise<T>): Promise<T> {
    if (parent === undefined) return find();
    let found: { readonly value: T } | undefined;
    await persist(
      async () => void (found = { value: await find() }),
      this.#options.host.persistence('looking for a child'),
    );
    if (found === undefined) throw new PerdureError('ENGINE_CLOSED', { operation: 'a start' });
    return found.value;
  }
}

// A child that was not inserted although nobody has its id: its parent is no longer owned as the start says.
function lostParent({ definition }: NewRun): PerdureError {
  const reason = 'the run that starts it is no longer owned';
  return new PerdureError('STEP_ABORTED', { step: definition.name, reason });
}

function attach(id: RunId): Ticket {
  return { id, isNew: false, outcome: undefined };
}

function checkSame(id: RunId, workflow: string, existing: string): void {
  if (workflow !== existing) throw new PerdureError('RUN_ID_CONFLICT', { id, workflow, existing });
}

// What this parent has started it may find again, after a crash: the start was not recorded.
function checkOwn(newRun: NewRun | ChildStart, { id, workflow, parentId }: RunRow, parent: HostedRun): void {
  const isExclusive = newRun.rejectsDuplicate === true || ('hasDerivedId' in newRun && newRun.hasDerivedId === true);
  if (isExclusive && parentId !== parent.id) throw new PerdureError('RUN_EXISTS', { id, workflow });
}

interface RowFacts {
  readonly id: RunId;
  readonly isOwned: boolean;
  readonly nowMs: number;
  readonly parent: HostedRun | undefined;
}

function toRow(newRun: NewRun, { id, isOwned, nowMs, parent }: RowFacts): StartRow {
  const { definition, input, delayMs, attributes, place } = newRun;
  const isInLine = place !== undefined && delayMs === undefined;
  const isUnlimited = newRun.isUnlimited === true;
  const timeoutMs = isUnlimited ? undefined : (newRun.timeoutMs ?? definition.timeoutMs);
  const ownDeadlineMs = isOwned && timeoutMs !== undefined ? nowMs + timeoutMs : Infinity;
  const deadlineAtMs = Math.min(ownDeadlineMs, isUnlimited ? Infinity : (parent?.deadlineAtMs ?? Infinity));
  return {
    id,
    workflow: definition.name,
    version: definition.version,
    status: isOwned ? 'running' : 'queued',
    isOwned,
    // Who is in line in a queue needs no time. An inherited deadline ends a delay.
    dueAtMs: isOwned || isInLine ? undefined : Math.min(nowMs + (delayMs ?? 0), deadlineAtMs),
    place,
    idempotency: newRun.idempotency,
    input,
    output: undefined,
    error: undefined,
    timeoutMs,
    deadlineAtMs: Number.isFinite(deadlineAtMs) ? deadlineAtMs : undefined,
    parent: parent === undefined ? undefined : { id: parent.id, epoch: parent.epoch },
    attributes,
    createdAtMs: nowMs,
    finishedAtMs: undefined,
  };
}

function toSeed(definition: WorkflowDefinition, row: StartRow): RunSeed {
  return {
    id: row.id,
    definition,
    queue: row.place?.queue,
    input: row.input,
    epoch: 1,
    startedAtMs: row.createdAtMs,
    deadlineAtMs: row.deadlineAtMs,
    timeoutMs: row.timeoutMs,
    attributes: row.attributes === undefined ? undefined : (JSON.parse(row.attributes) as Record<string, unknown>),
    history: emptyHistory,
    acceptsNewSteps: false,
    isContinued: false,
  };
}

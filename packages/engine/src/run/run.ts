// One run in the memory of its executor: what it has called, what is not yet durable, and how it ends or leaves.
// `run-workflow.ts` sets it going; the journal writes for it. Nothing here knows which function the user wrote.

import type { CheckpointRow, OutcomeRow } from '../store/batch.js';
import type { AttemptRecord } from '../store/steps.js';
import { PerdureError } from '../values/errors.js';
import type { RunId } from '../values/ids.js';
import { decode, decodeError, encodeError } from '../values/serialize.js';
import { seededGenerator, type SeededGenerator } from '../values/pseudo-random.js';
import type { Call, Result } from './call.js';
import { Delivery, type DeliveryPort } from './delivery.js';
import type { Beginning, Settlement } from './journal-batch.js';
import type { Settle, Writer } from './journal.js';
import { nothing, waitsOf, type WakeUps } from './parking.js';
import { StreamEnds } from './stream-ends.js';
import type { HostedRun, Outcome, RunHost, RunSeed, Ticket } from './run-host.js';

// What a run waits for may be there already: the answer to its question is given this long before it parks.
const shortestStayMs = 50;

/** A run in memory. */
export class Run implements HostedRun, Writer, DeliveryPort {
  readonly id: RunId;
  readonly seed: RunSeed;
  readonly host: RunHost;
  readonly delivery: Delivery;
  readonly ticket: Ticket;
  lane: Writer['lane'];
  undurable = 0;
  /** User functions of steps that are executing. */
  executing = 0;
  /** The insert or the claim that has not been confirmed yet. */
  beginning: Beginning | undefined;
  #hasRecorded = false;
  #hasLeft = false;
  #isLeaving = false;
  #gate: (() => void)[] = [];
  #aborts: Set<(reason: PerdureError) => void> | undefined;
  #cancelDeadline: (() => void) | undefined;
  #cancelPark: (() => void) | undefined;
  #random: SeededGenerator | undefined;
  #streams: StreamEnds | undefined;

  constructor(host: RunHost, seed: RunSeed) {
    this.host = host;
    this.seed = seed;
    this.id = seed.id;
    this.ticket = { id: seed.id, isNew: true, outcome: undefined };
    this.delivery = new Delivery(this, seed.history.steps, seed.startedAtMs, seed.acceptsNewSteps);
    if (seed.deadlineAtMs !== undefined) this.#cancelDeadline = host.clock.at(seed.deadlineAtMs, () => this.expire());
  }

  get epoch(): number {
    return this.seed.epoch;
  }

  get deadlineAtMs(): number | undefined {
    return this.seed.deadlineAtMs;
  }

  /** Whether it still runs here. */
  get isActive(): boolean {
    return !this.#hasLeft && !this.#isLeaving;
  }

  /** Whether the code repeats what it did in an earlier claim: nothing new has reached it since. */
  get isRepeating(): boolean {
    return this.delivery.isReplaying || (this.seed.isContinued && !this.#hasRecorded);
  }

  /** The generator behind random() and uuid(): the same numbers on every replay. */
  get random(): SeededGenerator {
    return (this.#random ??= seededGenerator(this.id));
  }

  /** Where its streams end. */
  get streams(): StreamEnds {
    return (this.#streams ??= new StreamEnds(this));
  }

  /** Failed attempts of a step from before this claim. */
  attemptsOf(call: Call): readonly AttemptRecord[] {
    return this.seed.history.attempts.filter((a) => a.name === call.name && a.occurrence === call.occurrence);
  }

  /** Runs an effect once everything that the run has been told is durable: the effect barrier. */
  effect(begin: () => void): void {
    if (!this.isActive) return;
    if (this.undurable === 0 && !this.host.isDraining) begin();
    else this.#gate.push(begin);
  }

  /** Has `abort` called when the run loses its owner or ends. Returns how to stop that. */
  onAbort(abort: (reason: PerdureError) => void): () => void {
    (this.#aborts ??= new Set()).add(abort);
    return () => this.#aborts?.delete(abort);
  }

  // ── DeliveryPort

  wake(): void {
    if (this.isActive) this.host.schedulePump(this);
  }

  now(): number {
    return this.host.clock.now();
  }

  record(call: Call, result: Result, seq: number, finishedAtMs: number): void {
    this.#hasRecorded = true;
    const { kind, name, occurrence, childId, startedAtMs } = call;
    const row: CheckpointRow = {
      runId: this.id,
      epoch: this.epoch,
      seq,
      name,
      occurrence,
      kind,
      output: result.output,
      error: result.error,
      childId: childId as RunId | undefined,
      startedAtMs,
      finishedAtMs,
    };
    const publications = call.publish?.(seq);
    const decided = this.#whenOwned();
    const settle: Settle = (settlement) => {
      // Once it has left, another claim of it may be here, and have taken the message that this one could not record.
      if (!this.#hasLeft)
        for (const { messageId } of publications?.receipts ?? []) this.host.mailbox.received(this.id, messageId);
      decided(settlement);
    };
    this.host.journal.checkpoint(this, { row, publications, settle: publications === undefined ? decided : settle });
  }

  /** Something that a step published while executing has been decided. */
  published(settlement: Settlement): void {
    this.#whenOwned()(settlement);
  }

  // What cannot be read back fails the workflow's code where it awaits it, so that the run ends instead of coming back.
  open(call: Call, { output, error }: Result): { readonly value: unknown } | { readonly thrown: unknown } {
    try {
      if (error !== undefined) return { thrown: decodeError(error) };
      const what = `the result of step "${call.name}" of run ${this.id}`;
      return { value: output === undefined ? undefined : decode(output, what) };
    } catch (fault) {
      return { thrown: fault };
    }
  }

  mismatch(expected: string, found: string): void {
    if (!this.isActive) return;
    const { name } = this.seed.definition;
    const error = new PerdureError('NONDETERMINISM', { id: this.id, workflow: name, expected, found });
    this.host.logger.error(
      { runId: this.id, workflow: name, expected, found, err: error },
      'run paused: its history does not fit the code',
    );
    this.#stop(() => error);
    const pause = { status: 'paused', output: undefined, error: encodeError(error) } as const;
    this.#end(pause, () => this.host.left(this));
  }

  // ── the run's life

  /** One turn: hands over a result, begins what may begin, and looks whether there is anything to stay for. */
  pump(): void {
    if (!this.isActive) return;
    // The timer may be late, and what comes now may come of the deadline itself: a child's end at the one it inherited.
    if (this.seed.deadlineAtMs !== undefined && this.now() >= this.seed.deadlineAtMs) return this.expire();
    const hasDelivered = this.delivery.pump();
    if (this.isActive && !hasDelivered) this.#considerParking();
  }

  /** Ends the run with its outcome: one commit with whatever is still on its way. */
  finish(outcome: Outcome): void {
    if (!this.isActive) return;
    if (this.delivery.isReplaying && !this.delivery.acceptsNewSteps) {
      return this.mismatch(this.delivery.describeNextRecord(), 'the end of the workflow');
    }
    this.#stop(() => aborted('its run has ended'));
    const tell = (): void => this.host.finished(this, outcome);
    const isBeginningAlone = this.undurable === 1 && this.beginning?.isSent === false;
    if (this.beginning !== undefined && isBeginningAlone) this.#mergeInto(this.beginning, outcome, tell);
    else this.#end(outcome, tell);
  }

  /** Called when the insert of a run that was started here, or its claim, has been decided. */
  whenBegun(settlement: Settlement): void {
    this.beginning = undefined;
    if (this.#hasLeft) return this.host.release(this); // it was lost while that was under way
    this.#whenOwned(this.#afterBeginning)(settlement);
  }
  #afterBeginning: (() => void) | undefined;

  /** Leaves memory; the row tells what wakes the run. Undefined: nothing but a wake-up. */
  park(dueAtMs: number | undefined, { runs, events, topics }: WakeUps = nothing): void {
    if (!this.isActive) return;
    this.#stop(() => aborted('its run was handed to another process'));
    const settle = this.#whenOwned(() => this.#leave(() => this.host.left(this)));
    const row = { id: this.id, epoch: this.epoch, dueAtMs, topics };
    this.host.journal.park(this, { row, awaits: runs, awaitsEvents: events, settle });
  }

  /** The run is not this executor's any more: signals fire, and nothing of it is written or delivered. */
  abandon(reason: PerdureError): void {
    if (this.#hasLeft) return;
    this.#stop(() => reason);
    this.#leave(() => undefined);
  }

  #mergeInto({ row }: Beginning, { status, output, error }: Outcome, tell: () => void): void {
    row.status = status;
    row.output = output;
    row.error = error;
    row.finishedAtMs = this.now();
    this.#afterBeginning = () => this.#leave(tell);
  }

  /** Cancels the run because its deadline has come: that beats whatever the code is doing. */
  expire(): void {
    if (!this.isActive) return;
    const { timeoutMs, startedAtMs, deadlineAtMs } = this.seed;
    const error = new PerdureError('RUN_TIMED_OUT', {
      id: this.id,
      timeoutMs: timeoutMs ?? (deadlineAtMs ?? 0) - startedAtMs,
    });
    const outcome = { status: 'cancelled', output: undefined, error: encodeError(error) } as const;
    this.#stop(() => error);
    this.#end(outcome, () => this.host.finished(this, outcome));
  }

  #end({ status, output, error }: Pick<OutcomeRow, 'status' | 'output' | 'error'>, tell: () => void): void {
    const settle = this.#whenOwned(() => this.#leave(tell));
    this.host.journal.outcome(this, { runId: this.id, epoch: this.epoch, status, output, error }, settle);
  }

  // A write of this run was decided: go on, or notice that the run is lost.
  #whenOwned(then?: () => void): Settle {
    return (settlement) => {
      if (this.#hasLeft) return;
      if (settlement !== 'recorded') return this.host.lost(this, settlement === 'rejected');
      if (then !== undefined) then();
      else if (this.undurable === 0) this.#openGate();
    };
  }

  #openGate(): void {
    if (this.#gate.length === 0 || !this.isActive || this.host.isDraining) return;
    const effects = this.#gate;
    this.#gate = [];
    for (const begin of effects) begin();
  }

  #stop(reason: () => PerdureError): void {
    this.#isLeaving = true;
    this.delivery.end();
    this.#gate = [];
    this.#cancelDeadline?.();
    this.#cancelPark?.();
    if (this.#aborts === undefined || this.#aborts.size === 0) return;
    const error = reason();
    for (const abort of this.#aborts) abort(error);
    this.#aborts.clear();
  }

  #leave(tell: () => void): void {
    this.#hasLeft = true;
    tell();
  }

  // A run leaves memory when nothing of it executes and it only waits: at once when it is known to wait for longer than
  // parkAfter, after that time when the end of the wait is open.
  #considerParking(): void {
    this.#cancelPark?.();
    this.#cancelPark = undefined;
    if (this.executing > 0) return;
    if (this.host.isDraining && !this.delivery.hasResults) return this.park(this.now());
    if (!this.delivery.isQuiet) return;
    const waits = waitsOf(this.delivery.outstanding);
    if (waits === undefined) return;
    const openEndedMs = Math.max(this.host.parkAfterMs, shortestStayMs);
    const stayUntilMs = this.now() + (waits.isOpenEnded ? openEndedMs : this.host.parkAfterMs);
    if (waits.isOpenEnded) this.#cancelPark = this.host.clock.at(stayUntilMs, () => this.#parkNow());
    else if (waits.untilMs > stayUntilMs) this.#parkNow();
  }

  #parkNow(): void {
    const waits = waitsOf(this.delivery.outstanding);
    if (!this.isActive || this.executing > 0 || !this.delivery.isQuiet || waits === undefined) return;
    const { deadlineAtMs = Infinity } = this.seed;
    const dueAtMs = Math.min(waits.untilMs, deadlineAtMs);
    this.park(Number.isFinite(dueAtMs) ? dueAtMs : undefined, waits);
  }
}

function aborted(reason: string): PerdureError {
  return new PerdureError('STEP_ABORTED', { step: '*', reason });
}

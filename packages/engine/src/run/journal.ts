// The part of an executor that commits what its runs write: group commit. While one batch is being committed, later
// writes gather; then they go together. An idle journal sends at once, so batching adds no wait. Nothing counts as
// durable, and nobody hears of it, before its batch has committed.
// A run stays on one lane while it has writes under way, so its checkpoints commit in order.

import type { OutcomeRow, StartRow } from '../store/batch.js';
import type { Publications } from '../store/publications.js';
import { PerdureError } from '../values/errors.js';
import type { Batch, Beginning, Checkpoint, Park, Settlement, Start } from './journal-batch.js';
import { Lane, type LaneOptions } from './journal-lane.js';

/** Whoever writes: the journal keeps count of its writes that are not yet durable. */
export interface Writer {
  /** Where its writes go: a lane, or a claim that is still open, which keeps them until then. */
  lane: Pick<Lane, 'add'> | undefined;
  undurable: number;
  /** How it came here, while that is not yet decided. */
  beginning?: Beginning | undefined;
}

/** Called once when a write has been decided. */
export type Settle = (settlement: Settlement) => void;

// With a second lane, this process works on one half of the runs while the database commits the other. Measured at 100 runs of 5
// steps: full at 250, 19,200 steps/s; at 48, 26,100 (benchmarks/results).
const laneCount = 2;
const laneIsFullAt = 48;
const outagePatienceMs = 10_000;
const patienceCheckMs = 500;

/** The journal of one executor. */
export class Journal {
  readonly #lanes: readonly Lane[];
  /** Starts that a lock has kept waiting take turns here, so that nobody else waits for them. */
  readonly #sideLane: Lane;
  #outage: string | undefined;
  #patience: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: Omit<LaneOptions, 'onOutage' | 'onRecovered' | 'onHeldUp'>) {
    const handlers = {
      onOutage: (reason: string): void => void (this.#outage = reason),
      onRecovered: (): void => void (this.#outage = undefined),
      onHeldUp: (start: Start, wasUncertain: boolean): void =>
        this.#sideLane.add((batch) => {
          batch.addStart(start);
          batch.wasUncertain ||= wasUncertain; // what holds it up may be itself, sent before
        }),
    };
    const open = (): Lane => new Lane({ ...options, ...handlers });
    this.#lanes = Array.from({ length: laneCount }, open);
    this.#sideLane = open();
  }

  /** Inserts a run. The answer can be changed to that of a finished run until `isSent`. */
  start(writer: Writer, row: StartRow, settle: Settle, giveUp: (error: PerdureError) => void): Start {
    const start: Start = {
      row,
      settle: this.#counted(writer, settle),
      giveUp,
      isSent: false,
      addedAtMs: performance.now(),
    };
    this.#add(writer, (batch) => batch.addStart(start));
    this.#patience ??= setInterval(() => this.#giveUpStarts(), patienceCheckMs).unref();
    return start;
  }

  /** Inserts a step's result, together with what the step publishes. */
  checkpoint(writer: Writer, { row, publications, settle }: Checkpoint): void {
    const checkpoint = { row, publications, settle: this.#counted(writer, settle) };
    this.#add(writer, (batch) => batch.addCheckpoint(checkpoint));
  }

  /** Publishes something that belongs to no checkpoint: a step does so while it executes. */
  publish(writer: Writer, row: Publications, settle: Settle): void {
    const publication = { row, settle: this.#counted(writer, settle) };
    this.#add(writer, (batch) => batch.addPublication(publication));
  }

  /** Ends the ownership of a run with its outcome or a pause. */
  outcome(writer: Writer, row: OutcomeRow, settle: Settle): void {
    const outcome = { row, settle: this.#counted(writer, settle) };
    this.#add(writer, (batch) => batch.addOutcome(outcome));
  }

  /** Parks a run, or releases it, which is to park it until now. */
  park(writer: Writer, park: Park): void {
    const settle = this.#counted(writer, park.settle);
    this.#add(writer, (batch) => batch.addPark({ ...park, settle }));
  }

  /** Takes over writes that had to wait, in their order. */
  resume(writer: Writer, writes: readonly ((batch: Batch) => void)[]): void {
    const lane = this.#freeLane();
    writer.lane = lane;
    for (const write of writes) lane.add(write);
  }

  /** Resolves when everything written so far has been decided, but for starts that transactions of applications hold up. */
  async flush(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.whenIdle()));
  }

  /** Gives up what is still waiting, and closes the connections. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#patience);
    await Promise.all([...this.#lanes, this.#sideLane].map((lane) => lane.close()));
  }

  #add(writer: Writer, add: (batch: Batch) => void): void {
    if (this.#isClosed) throw new PerdureError('ENGINE_CLOSED', { operation: 'writing to the journal' });
    if (writer.lane === undefined || writer.undurable === 0) writer.lane = this.#freeLane();
    writer.undurable += 1;
    writer.lane.add(add, writer.beginning);
  }

  #counted(writer: Writer, settle: Settle): Settle {
    return (settlement) => {
      writer.undurable -= 1;
      settle(settlement);
    };
  }

  #freeLane(): Lane {
    const [first] = this.#lanes;
    if (first === undefined) throw new Error('a journal has lanes');
    if (first.size < laneIsFullAt) return first;
    return this.#lanes.reduce((least, lane) => (lane.size < least.size ? lane : least));
  }

  // Runs wait for the database as long as it takes. Callers of startWorkflow do not: after a while they are told that
  // their start is unconfirmed, also when the connection is only silent. The start itself stays, and is carried out if it
  // was or can still be recorded.
  #giveUpStarts(): void {
    const beforeMs = performance.now() - outagePatienceMs;
    for (const lane of this.#lanes) lane.giveUpStarts(this.#outage ?? 'the database does not answer', beforeMs);
    this.#sideLane.giveUpStarts(this.#outage ?? 'a transaction that is still open holds its id or key', beforeMs);
    if ([...this.#lanes, this.#sideLane].some((lane) => lane.size > 0)) return;
    clearInterval(this.#patience);
    this.#patience = undefined;
  }
}

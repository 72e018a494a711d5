// What gathers for one commit, and who is told of its fate.

import type { BatchRows, CheckpointRow, OutcomeRow, StartRow } from '../store/batch.js';
import type { ParkRow } from '../store/runs.js';
import type { PerdureError } from '../values/errors.js';
import type { RunId } from '../values/ids.js';

/** What became of a write. */
export type Settlement =
  | 'recorded'
  | 'refused' // the run is no longer owned, or the executor is fenced: nothing was written
  | 'rejected' // by the database, for a reason that a repetition does not change: nothing was written
  | 'exists'; // a start: the id was taken before

interface Write<Row> {
  readonly row: Row;
  readonly settle: (settlement: Settlement) => void;
}

/** A run to insert. */
export interface Start extends Write<StartRow> {
  /** Tells the caller that the database did not answer in time; the start itself stays. */
  readonly giveUp: (error: PerdureError) => void;
  isSent: boolean;
  /** On the monotonic clock. */
  readonly addedAtMs: number;
}

/** A run to park. */
export interface Park extends Write<ParkRow> {
  /** The runs whose outcomes wake it. */
  readonly awaits: readonly RunId[];
}

const maxWrites = 2_000;
const maxCharacters = 8 * 1024 * 1024;

/** Writes that commit together. */
export class Batch {
  starts: Start[] = [];
  checkpoints: Write<CheckpointRow>[] = [];
  outcomes: Write<OutcomeRow>[] = [];
  parks: Park[] = [];
  /** Runs that have ended, and whose waiters may not all have been woken. */
  ended: RunId[] = [];
  /** Its fate is unknown, or it was refused as a whole: ask what is written before sending it again. */
  isUncertain = false;
  /** It was sent before, and may have been carried out later than it was asked for. */
  wasUncertain = false;
  #characters = 0;

  get size(): number {
    return this.starts.length + this.checkpoints.length + this.outcomes.length + this.parks.length + this.ended.length;
  }

  get isFull(): boolean {
    return this.size >= maxWrites || this.#characters >= maxCharacters;
  }

  addStart(start: Start): void {
    this.starts.push(start);
    this.#characters += start.row.input.length;
  }

  addCheckpoint(checkpoint: Write<CheckpointRow>): void {
    this.checkpoints.push(checkpoint);
    this.#characters += (checkpoint.row.output?.length ?? 0) + (checkpoint.row.error?.length ?? 0);
  }

  addOutcome(outcome: Write<OutcomeRow>): void {
    this.outcomes.push(outcome);
    this.#characters += (outcome.row.output?.length ?? 0) + (outcome.row.error?.length ?? 0);
  }

  addPark(park: Park): void {
    this.parks.push(park);
  }

  /** The rows of its one statement; parks have their own. */
  rows(): BatchRows {
    return {
      starts: this.starts.map((start) => start.row),
      checkpoints: this.checkpoints.map((checkpoint) => checkpoint.row),
      outcomes: this.outcomes.map((outcome) => outcome.row),
    };
  }

  /** The runs that it writes of. */
  get runIds(): ReadonlySet<RunId> {
    const ids = [...this.starts, ...this.parks].map(({ row }) => row.id);
    return new Set([...ids, ...[...this.checkpoints, ...this.outcomes].map(({ row }) => row.runId)]);
  }

  /**
   * One batch per run, for a batch that the database refuses as a whole. What a run writes stays together: no outcome is
   * recorded without the steps before it.
   */
  split(): readonly Batch[] {
    const batches = new Map([...this.runIds].map((id) => [id, new Batch()]));
    for (const batch of batches.values()) batch.wasUncertain = this.wasUncertain;
    for (const start of this.starts) batches.get(start.row.id)?.addStart(start);
    for (const checkpoint of this.checkpoints) batches.get(checkpoint.row.runId)?.addCheckpoint(checkpoint);
    for (const outcome of this.outcomes) batches.get(outcome.row.runId)?.addOutcome(outcome);
    for (const park of this.parks) batches.get(park.row.id)?.addPark(park);
    return [...batches.values()];
  }

  /** Tells checkpoints and outcomes that they are recorded. */
  settleRecorded(): void {
    const { checkpoints, outcomes } = this;
    this.checkpoints = [];
    this.outcomes = [];
    for (const { settle } of checkpoints) settle('recorded');
    for (const { settle } of outcomes) settle('recorded');
  }

  /** Tells everybody the same, and is empty after. */
  settleAll(settlement: Settlement): void {
    const writes = [...this.starts, ...this.checkpoints, ...this.outcomes, ...this.parks];
    this.clear();
    for (const write of writes) write.settle(settlement);
  }

  /** Forgets its writes, which somebody else settles. */
  clear(): void {
    this.starts = [];
    this.checkpoints = [];
    this.outcomes = [];
    this.parks = [];
    this.ended = [];
  }
}

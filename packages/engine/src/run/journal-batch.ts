// What gathers for one commit, and who is told of its fate.

import type { BatchRows, CheckpointRow, OutcomeRow, StartRow } from '../store/batch.js';
import type { EventQuery } from '../store/events.js';
import type { Publications } from '../store/publications.js';
import type { ParkRow } from '../store/runs.js';
import type { PerdureError } from '../values/errors.js';
import type { RunId } from '../values/ids.js';

/** What became of a write. */
export type Settlement =
  | 'recorded'
  | 'queued' // a start that was to run here at once: recorded, but its queue does not let it go yet, or somebody else has it by now
  | 'refused' // the run is no longer owned, or the executor is fenced: nothing was written
  | 'rejected' // by the database, for a reason that a repetition does not change: nothing was written
  | 'exists'; // a start: the id was taken before

interface Write<Row> {
  readonly row: Row;
  readonly settle: (settlement: Settlement) => void;
}

/** How a run has come here, while that is not durable: by its insert or by its claim. Can be changed to its outcome until `isSent`. */
export interface Beginning {
  readonly row: Pick<StartRow, 'status' | 'output' | 'error' | 'finishedAtMs'>;
  isSent: boolean;
}

/** A run to insert. */
export interface Start extends Write<StartRow>, Beginning {
  readonly row: StartRow;
  /** Tells the caller that the database did not answer in time; the start itself stays. */
  readonly giveUp: (error: PerdureError) => void;
  /** On the monotonic clock. */
  readonly addedAtMs: number;
}

/** A step's result, and what the step publishes with it. */
export interface Checkpoint extends Write<CheckpointRow> {
  readonly publications: Publications | undefined;
}

/** A run to park. */
export interface Park extends Write<ParkRow> {
  /** The runs whose outcomes wake it. */
  readonly awaits: readonly RunId[];
  /** The events of other runs that wake it. */
  readonly awaitsEvents: readonly EventQuery[];
}

const maxWrites = 2_000;
const maxCharacters = 8 * 1024 * 1024;

/** Writes that commit together. */
export class Batch {
  starts: Start[] = [];
  checkpoints: Checkpoint[] = [];
  /** What steps publish while they execute. */
  publications: Write<Publications>[] = [];
  outcomes: Write<OutcomeRow>[] = [];
  parks: Park[] = [];
  /** Runs that have ended or published something, and whose waiters may not all have been woken. */
  unwoken: RunId[] = [];
  /** Its fate is unknown, or it was refused as a whole: ask what is written before sending it again. */
  isUncertain = false;
  /** It was sent before, and may have been carried out later than it was asked for. */
  wasUncertain = false;
  #characters = 0;

  get size(): number {
    const { starts, checkpoints, publications, outcomes, parks, unwoken } = this;
    return starts.length + checkpoints.length + publications.length + outcomes.length + parks.length + unwoken.length;
  }

  get isFull(): boolean {
    return this.size >= maxWrites || this.#characters >= maxCharacters;
  }

  addStart(start: Start): void {
    this.starts.push(start);
    this.#characters += start.row.input.length;
  }

  addCheckpoint(checkpoint: Checkpoint): void {
    this.checkpoints.push(checkpoint);
    const { row, publications } = checkpoint;
    this.#characters += (row.output?.length ?? 0) + (row.error?.length ?? 0) + charactersOf(publications);
  }

  addPublication(publication: Write<Publications>): void {
    this.publications.push(publication);
    this.#characters += charactersOf(publication.row);
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
      publications: this.#publications(),
    };
  }

  /** The runs whose readers want to look again. */
  get touchedIds(): readonly RunId[] {
    const { events = [], chunks = [] } = this.#publications();
    return [...new Set([...events, ...chunks].map(({ runId }) => runId))];
  }

  #publications(): Publications {
    const all = this.publications.map(({ row }) => row);
    for (const { publications } of this.checkpoints) if (publications !== undefined) all.push(publications);
    if (all.length === 0) return {};
    return {
      events: all.flatMap(({ events = [] }) => events),
      chunks: all.flatMap(({ chunks = [] }) => chunks),
      receipts: all.flatMap(({ receipts = [] }) => receipts),
    };
  }

  /** The runs that it writes of. */
  get runIds(): ReadonlySet<RunId> {
    return new Set([
      ...[...this.starts, ...this.parks].map(({ row }) => row.id),
      ...[...this.checkpoints, ...this.outcomes].map(({ row }) => row.runId),
      ...this.publications.map(({ row }) => runIdOf(row)),
    ]);
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
    for (const publication of this.publications) batches.get(runIdOf(publication.row))?.addPublication(publication);
    for (const outcome of this.outcomes) batches.get(outcome.row.runId)?.addOutcome(outcome);
    for (const park of this.parks) batches.get(park.row.id)?.addPark(park);
    return [...batches.values()];
  }

  /** Tells checkpoints, publications and outcomes that they are recorded. */
  settleRecorded(): void {
    const { checkpoints, publications, outcomes } = this;
    this.checkpoints = [];
    this.publications = [];
    this.outcomes = [];
    for (const { settle } of checkpoints) settle('recorded');
    for (const { settle } of publications) settle('recorded');
    for (const { settle } of outcomes) settle('recorded');
  }

  /** Tells everybody the same, and is empty after. */
  settleAll(settlement: Settlement): void {
    const { starts, checkpoints, publications, outcomes, parks } = this;
    const writes = [...starts, ...checkpoints, ...publications, ...outcomes, ...parks];
    this.clear();
    for (const write of writes) write.settle(settlement);
  }

  /** Forgets its writes, which somebody else settles. */
  clear(): void {
    this.starts = [];
    this.checkpoints = [];
    this.publications = [];
    this.outcomes = [];
    this.parks = [];
    this.unwoken = [];
  }
}

// A publication outside of a checkpoint is of one run: a step writes it.
function runIdOf({ events = [], chunks = [], receipts = [] }: Publications): RunId {
  const [first] = [...events, ...chunks, ...receipts];
  if (first === undefined) throw new Error('a publication publishes something');
  return first.runId;
}

function charactersOf({ events = [], chunks = [] }: Publications = {}): number {
  return [...events, ...chunks].reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
}

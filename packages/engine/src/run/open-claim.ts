// The runs of a claim that is not committed yet, in memory. Their code executes meanwhile, up to the first thing that must be durable;
// what has ended by then is written with the claim. To its runs it stands for a lane of the journal: their other writes wait here.

import type { SettledRow } from '../store/open-claims.js';
import type { Batch, Beginning } from './journal-batch.js';
import type { Journal } from './journal.js';
import type { Run } from './run.js';

type Write = (batch: Batch) => void;

// Both at once: what the statement writes, and what the run changes when it ends before that.
interface Member extends Beginning {
  readonly run: Run;
  readonly row: { -readonly [Key in keyof SettledRow]: SettledRow[Key] };
}

/** The members of one open claim. */
export class OpenClaim {
  readonly #members: Member[] = [];
  readonly #late = new Map<Beginning, Write[]>();

  /** Makes a run one of its members, before its code begins. */
  admit(run: Run): void {
    const row = {
      id: run.id,
      status: 'running',
      output: undefined,
      error: undefined,
      finishedAtMs: undefined,
    } as const;
    const member: Member = { run, row: { ...row }, isSent: false };
    this.#members.push(member);
    run.beginning = member;
    run.undurable = 1;
    run.lane = this;
  }

  /** A member writes something that is not its outcome, or not that alone: after the claim. */
  add(write: Write, beginning?: Beginning): void {
    if (beginning === undefined) throw new Error('a member of an open claim knows how it began');
    const writes = this.#late.get(beginning);
    if (writes === undefined) this.#late.set(beginning, [write]);
    else writes.push(write);
  }

  /** The length of what its members have ended with. */
  get characters(): number {
    return this.#members.reduce((sum, { row }) => sum + (row.output?.length ?? 0) + (row.error?.length ?? 0), 0);
  }

  /** How its members leave it; from now on nothing of that changes. */
  send(): readonly SettledRow[] {
    for (const member of this.#members) member.isSent = true;
    return this.#members.map(({ row }) => row);
  }

  /** The claim is committed, for the runs with these ids or, if undefined, all. Returns how many have ended with it. */
  settle(settledIds: ReadonlySet<string> | undefined, journal: Journal): number {
    let ended = 0;
    for (const member of this.#members) {
      const { run, row } = member;
      const isSettled = settledIds === undefined || settledIds.has(run.id);
      if (row.status !== 'running') ended += 1;
      run.undurable -= 1;
      run.lane = undefined;
      const late = this.#late.get(member);
      if (isSettled && late !== undefined) journal.resume(run, late);
      run.whenBegun(isSettled ? 'recorded' : 'refused');
    }
    return ended;
  }

  /** Nothing was written: its members are in line as before. */
  undo(leave: (run: Run) => void): void {
    for (const { run } of this.#members) {
      run.beginning = undefined;
      leave(run);
    }
  }
}

// The order in which results reach workflow code, live and in replay alike: one result per macrotask. Live, results are
// handed over as they complete, and get their `seq` then. In replay, once the code is quiescent, the recorded call with
// the lowest seq is handed over. So Promise.all, race and loops of parallel calls replay exactly (DESIGN: "Delivery order").
// Knows no database: `run.ts` gives it the history and takes its records.

import type { StepRecord } from '../store/steps.js';
import { describe, keyOf, markCall, markKind, type Call, type PendingCall, type Result } from './call.js';

/** What a delivery needs from its run. */
export interface DeliveryPort {
  /** Asks for `pump` in the next macrotask. */
  wake(): void;
  /** The time to record, by the database's clock. */
  now(): number;
  /** Writes a result to the journal; called just before the code gets it. */
  record(call: Call, result: Result, seq: number, finishedAtMs: number): void;
  /** The value of a stored result, or the error to throw. */
  open(call: Call, result: Result): { readonly value: unknown } | { readonly thrown: unknown };
  /** The history does not fit the code. */
  mismatch(expected: string, found: string): void;
}

interface CallOptions {
  readonly kind: string;
  readonly name: string;
  /** An earlier name of the step, under which it may be recorded. */
  readonly formerly?: string | undefined;
  /** Starts the operation; its end is told to `complete`. Not called for a recorded one. */
  readonly begin: (call: Call) => void;
}

// How long code in replay may await something that is not durable before that counts as a mismatch.
const graceMs = 1_000;

/** The calls and results of one run in memory. */
export class Delivery {
  readonly #port: DeliveryPort;
  readonly #history: readonly StepRecord[];
  readonly #acceptsNewSteps: boolean;
  readonly #completed: { readonly call: PendingCall; readonly result: Result }[] = [];
  // Made when they are needed: most runs of a queue do without, and thousands of them are in memory at once.
  #recorded: Map<string, StepRecord> | undefined;
  #recordedMarks: ReadonlySet<string> | undefined;
  #occurrences: Map<string, number> | undefined;
  #marks: Map<string, boolean> | undefined;
  #outstanding: Map<string, PendingCall> | undefined;
  #unbegun: PendingCall[] = [];
  #preparing = 0;
  #isPatient = true;
  #cursor = 0;
  #undelivered: number;
  #lastSeq: number;
  #nowMs: number;
  #grace: NodeJS.Timeout | undefined;
  #hasEnded = false;

  constructor(port: DeliveryPort, history: readonly StepRecord[], startedAtMs: number, acceptsNewSteps = false) {
    this.#port = port;
    // Code may forget a marker once it has no use for it, so nothing waits for one.
    this.#history = history.length === 0 ? history : history.filter(({ kind }) => kind !== markKind);
    if (history.length > 0) {
      this.#recordedMarks = new Set(history.filter(({ kind }) => kind === markKind).map(({ name }) => name));
      this.#recorded = new Map(this.#history.map((record) => [keyOf(record.name, record.occurrence), record]));
    }
    this.#acceptsNewSteps = acceptsNewSteps;
    this.#undelivered = this.#history.length;
    this.#lastSeq = history.at(-1)?.seq ?? 0;
    this.#nowMs = startedAtMs;
  }

  /** The time of the last delivered result: what now() returns to workflow code, the same on every replay. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** The place of the last delivered result in the history; 0 before the first. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Whether recorded results are left that the code has not asked for. */
  get isReplaying(): boolean {
    return this.#undelivered > 0;
  }

  /** How many recorded results have been handed over, or passed over. */
  get replayed(): number {
    return this.#history.length - this.#undelivered;
  }

  /** Calls that wait for an answer. */
  get outstanding(): Iterable<Call> {
    return this.#outstanding?.values() ?? [];
  }

  /** Whether results wait to be handed over. */
  get hasResults(): boolean {
    return this.#completed.length > 0;
  }

  /** Whether nothing is left to hand over or to begin, and no call is being prepared. */
  get isQuiet(): boolean {
    const isIdle = this.#completed.length === 0 && this.#unbegun.length === 0 && this.#preparing === 0;
    return isIdle && (this.#acceptsNewSteps || !this.isReplaying);
  }

  /** A durable call of workflow code. */
  call({ kind, name, formerly, begin }: CallOptions): Promise<unknown> {
    if (this.#hasEnded) return new Promise(() => undefined);
    const occurrence = this.#count(name);
    const record = this.#recorded?.get(keyOf(name, occurrence)) ?? this.#findFormer(formerly, occurrence);
    return new Promise((resolve, reject) => {
      const { name: recordedName, occurrence: recordedOccurrence } = record ?? { name, occurrence };
      const key = keyOf(recordedName, recordedOccurrence);
      const call: PendingCall = {
        kind,
        name,
        occurrence,
        startedAtMs: this.#port.now(),
        waitsUntilMs: undefined,
        childId: undefined,
        key,
        record,
        begin,
        resolve,
        reject,
      };
      (this.#outstanding ??= new Map()).set(key, call);
      if (record !== undefined) return this.#port.wake();
      if (!this.isReplaying) return begin(call);
      this.#unbegun.push(call);
      this.#port.wake();
    });
  }

  /**
   * Does work before a call that is not durable itself, such as validating its input. Nothing is handed over meanwhile:
   * how long it takes must not decide the place of the call.
   */
  async prepare<T>(work: () => Promise<T>): Promise<T> {
    this.#preparing += 1;
    try {
      return await work();
    } finally {
      this.#preparing -= 1;
      this.#port.wake();
    }
  }

  /**
   * Whether this run has passed a marker, or passes it now for the first time. Answered at once and out of order.
   * A run that went by this point before the marker existed never gets it.
   */
  mark(name: string): boolean {
    const known = this.#marks?.get(name);
    if (known !== undefined) return known;
    const isRecorded = this.#recordedMarks?.has(name) === true;
    const isMarked = isRecorded || !this.isReplaying;
    (this.#marks ??= new Map()).set(name, isMarked);
    if (isMarked && !isRecorded && !this.#hasEnded) {
      this.#port.record(markCall(name, this.#nowMs), {}, ++this.#lastSeq, this.#nowMs);
    }
    return isMarked;
  }

  /** The operation behind a call has ended. */
  complete(call: Call, result: Result): void {
    const pending = this.#outstanding?.get(keyOf(call.name, call.occurrence));
    if (this.#hasEnded || pending === undefined) return;
    this.#completed.push({ call: pending, result });
    this.#port.wake();
  }

  /**
   * Hands over at most one result, or begins what may begin. Called once per macrotask after a wake. Returns whether the
   * code has been given something, to which it will react before the next turn.
   */
  pump(): boolean {
    if (this.#hasEnded || this.#preparing > 0) return false;
    this.#calmDown();
    const replayed = this.#nextRecorded();
    if (replayed !== undefined) return this.#replay(replayed);
    if (this.isReplaying && !this.#acceptsNewSteps) return this.#waitForCode();
    this.#beginAll();
    const next = this.#completed.shift();
    if (next === undefined) return false;
    const { call, result } = next;
    this.#nowMs = Math.max(this.#port.now(), this.#nowMs);
    this.#port.record(call, result, ++this.#lastSeq, this.#nowMs);
    this.#answer(call, result);
    return true;
  }

  /** Nothing is handed over any more: promises of outstanding calls never settle. */
  end(): void {
    this.#hasEnded = true;
    this.#calmDown();
    this.#outstanding?.clear();
    this.#unbegun = [];
    this.#completed.length = 0;
  }

  /** What a recorded result that nobody asked for is called, for messages. */
  describeNextRecord(): string {
    const record = this.#history[this.#cursor];
    return record === undefined ? 'the end of its history' : describe(record);
  }

  get acceptsNewSteps(): boolean {
    return this.#acceptsNewSteps;
  }

  #count(name: string): number {
    this.#occurrences ??= new Map();
    const occurrence = (this.#occurrences.get(name) ?? 0) + 1;
    this.#occurrences.set(name, occurrence);
    return occurrence;
  }

  #findFormer(formerly: string | undefined, occurrence: number): StepRecord | undefined {
    return formerly === undefined ? undefined : this.#recorded?.get(keyOf(formerly, occurrence));
  }

  // The recorded call at the cursor. Code that has not asked for it may be awaiting something that is not durable: only
  // when it has been given time for that, or steps may be missing, is it the lowest one that the code has asked for.
  #nextRecorded(): PendingCall | undefined {
    if (!this.isReplaying) return undefined;
    const expected = this.#history[this.#cursor];
    const asked = expected && this.#outstanding?.get(keyOf(expected.name, expected.occurrence));
    if (asked !== undefined || (this.#isPatient && !this.#acceptsNewSteps)) return asked;
    let lowest: PendingCall | undefined;
    for (const call of this.#outstanding?.values() ?? []) {
      if (call.record !== undefined && call.record.seq < (lowest?.record?.seq ?? Infinity)) lowest = call;
    }
    return lowest;
  }

  #replay(call: PendingCall): boolean {
    const { record } = call;
    if (record === undefined) return false;
    if (record.kind !== call.kind) {
      this.#port.mismatch(describe(record), describe(call));
      return false;
    }
    this.#nowMs = Math.max(record.finishedAtMs, this.#nowMs);
    this.#passOver(call.key);
    call.childId = record.childId;
    const { output, error } = record;
    this.#answer(call, { ...(output === undefined ? {} : { output }), ...(error === undefined ? {} : { error }) });
    return true;
  }

  // A recorded result has been used: the cursor moves over it and everything else that has been.
  #passOver(key: string): void {
    this.#recorded?.delete(key);
    this.#undelivered -= 1;
    for (let record = this.#history[this.#cursor]; record !== undefined; record = this.#history[this.#cursor]) {
      if (this.#recorded?.has(keyOf(record.name, record.occurrence)) === true) break;
      this.#cursor += 1;
    }
  }

  #answer(call: PendingCall, result: Result): void {
    this.#outstanding?.delete(call.key);
    const opened = this.#port.open(call, result);
    if ('thrown' in opened) call.reject(opened.thrown);
    else call.resolve(opened.value);
    this.#port.wake();
  }

  #beginAll(): void {
    const calls = this.#unbegun;
    if (calls.length === 0) return;
    this.#unbegun = [];
    for (const call of calls) call.begin(call);
  }

  // The code asks for something, but not for the recorded result that is next. It may be awaiting something that is not
  // durable. After a while, later results are handed over; when none of those is asked for either, the history does not fit.
  #waitForCode(): false {
    if (this.#outstanding === undefined || this.#outstanding.size === 0) return false;
    this.#grace = setTimeout(() => {
      if (this.#hasEnded) return;
      const [found] = this.#unbegun;
      if (found !== undefined && this.#unbegun.length === this.#outstanding?.size) {
        return this.#port.mismatch(this.describeNextRecord(), describe(found));
      }
      this.#isPatient = false;
      this.#port.wake();
    }, graceMs);
    return false;
  }

  #calmDown(): void {
    clearTimeout(this.#grace);
    this.#grace = undefined;
  }
}

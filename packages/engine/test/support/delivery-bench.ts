// A delivery on a bench: the test makes the calls, completes them and turns the crank.

import type { Call, Result } from '../../src/run/call.js';
import { Delivery, type DeliveryPort } from '../../src/run/delivery.js';
import type { StepRecord } from '../../src/store/steps.js';

const startedAtMs = 1_700_000_000_000;

/** A call on the bench; `promise` is what workflow code would await. */
export interface BenchCall {
  readonly promise: Promise<unknown>;
  /** Undefined until the operation has begun. */
  call: Call | undefined;
}

/** What the delivery gave to be recorded. `receivedBefore`: how many results the code had had by then. */
export interface BenchRecord {
  readonly seq: number;
  readonly name: string;
  readonly occurrence: number;
  readonly kind: string;
  readonly output: string | undefined;
  readonly receivedBefore: number;
}

export interface BenchOptions {
  readonly history?: readonly StepRecord[];
  readonly acceptsNewSteps?: boolean;
}

/** A recorded step, a millisecond after the one before. */
export function stepRecord(seq: number, name: string, output: string | undefined, occurrence = 1): StepRecord {
  const times = { startedAtMs: startedAtMs + seq, finishedAtMs: startedAtMs + seq };
  return { seq, name, occurrence, kind: 'step', output, error: undefined, childId: undefined, ...times };
}

/** A marker that the run has passed. */
export function markRecord(seq: number, name: string): StepRecord {
  return { ...stepRecord(seq, name, undefined), kind: 'patch' };
}

export class Bench implements DeliveryPort {
  readonly startedAtMs = startedAtMs;
  readonly clock = { nowMs: startedAtMs + 1_000 };
  readonly delivery: Delivery;
  /** The names of the operations that have begun. */
  readonly begun: string[] = [];
  /** What the code got, in order. */
  readonly received: string[] = [];
  readonly records: BenchRecord[] = [];
  readonly mismatches: (readonly [expected: string, found: string])[] = [];

  constructor({ history = [], acceptsNewSteps = false }: BenchOptions = {}) {
    this.delivery = new Delivery(this, history, startedAtMs, acceptsNewSteps);
  }

  /** Calls an operation as workflow code does. */
  call(name: string, options: { readonly kind?: string; readonly formerly?: string } = {}): BenchCall {
    const made: { call: Call | undefined } = { call: undefined };
    const begin = (call: Call): void => {
      made.call = call;
      this.begun.push(name);
    };
    const promise = this.delivery.call({ kind: 'step', name, begin, ...options });
    promise.then(
      (value) => this.received.push(`${name}: ${String(value)}`),
      () => undefined,
    );
    return Object.assign(made, { promise });
  }

  /** The operation behind the call has ended. */
  complete({ call }: BenchCall, output: string | number): void {
    if (call === undefined) throw new Error('the operation has not begun');
    this.delivery.complete(call, { output: String(output) });
  }

  /** One turn of the macrotask queue, whether or not the delivery has asked for it. */
  async turn(): Promise<void> {
    this.delivery.pump();
    await new Promise((resolve) => setImmediate(resolve));
  }

  async turns(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await this.turn();
  }

  // ── DeliveryPort

  wake(): void {}

  now(): number {
    return this.clock.nowMs;
  }

  record({ name, occurrence, kind }: Call, { output }: Result, seq: number): void {
    this.records.push({ seq, name, occurrence, kind, output, receivedBefore: this.received.length });
  }

  open(_call: Call, { output, error }: Result): { readonly value: unknown } | { readonly thrown: unknown } {
    return error === undefined ? { value: output } : { thrown: error };
  }

  mismatch(expected: string, found: string): void {
    this.mismatches.push([expected, found]);
  }
}

export function makeBench(options?: BenchOptions): Bench {
  return new Bench(options);
}

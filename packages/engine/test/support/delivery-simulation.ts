// Runs workflow code over run/delivery.ts alone: durations and crashes come from a seed, time is virtual, and nothing is
// stored but a list. Thousands of schedules take a second.

import type { Call, Result } from '../../src/run/call.js';
import { Delivery, type DeliveryPort } from '../../src/run/delivery.js';
import type { StepRecord } from '../../src/store/steps.js';
import { seededRandom, type SeededRandom } from '@perdure/testing';

/** What a workflow of the simulation calls. */
export interface Durable {
  /** Executes after the recorded past, for a random time; resolves to a value that no other execution has. */
  readonly step: (name: string) => Promise<number>;
  readonly sleep: (ms: number) => Promise<void>;
}

export type SimulatedWorkflow = (durable: Durable) => Promise<unknown>;

/** As much of a delivery as the simulation uses: the naive twin has no more. */
export interface SimulatedDelivery {
  readonly nowMs: number;
  call(options: Parameters<Delivery['call']>[0]): Promise<unknown>;
  complete(call: Call, result: Result): void;
  pump(): void;
  end(): void;
}

export type MakeDelivery = (port: DeliveryPort, history: readonly StepRecord[]) => SimulatedDelivery;

/** One execution of a workflow, from a history to its outcome or its crash. */
export interface Execution {
  /** As JSON; undefined after a crash. */
  readonly outcome: string | undefined;
  /** What was recorded: the given history and what came to it. */
  readonly history: readonly StepRecord[];
  /** The steps whose functions have been called. */
  readonly executed: readonly string[];
  /** The results in the order in which the code got them. */
  readonly received: readonly string[];
}

export interface SimulationOptions {
  readonly seed: number;
  readonly history?: readonly StepRecord[];
  /** The process dies when it would record one more result than this. */
  readonly crashAfter?: number;
  readonly makeDelivery?: MakeDelivery;
}

export const startedAtMs = 1_000_000;
const deliver: MakeDelivery = (port, history) => new Delivery(port, history, startedAtMs);
// Distinct for every execution in this process, so that no swap of results goes unseen.
const effects = { count: 0 };

/** Executes a workflow once. Throws when its history does not fit or when nothing can happen any more. */
export async function simulate(workflow: SimulatedWorkflow, options: SimulationOptions): Promise<Execution> {
  return new Simulation(options).run(workflow);
}

interface Operation {
  readonly atMs: number;
  readonly finish: () => void;
}

class Simulation implements DeliveryPort {
  readonly #random: SeededRandom;
  readonly #crashAfter: number;
  readonly #delivery: SimulatedDelivery;
  readonly #history: StepRecord[];
  readonly #executed: string[] = [];
  readonly #received: string[] = [];
  #operations: Operation[] = [];
  #clockMs: number;
  #isWoken = false;
  #idleTurns = 0;
  #hasCrashed = false;
  #failure: Error | undefined;

  constructor({ seed, history = [], crashAfter = Infinity, makeDelivery = deliver }: SimulationOptions) {
    this.#random = seededRandom(seed);
    this.#crashAfter = crashAfter;
    this.#history = [...history];
    this.#clockMs = history.at(-1)?.finishedAtMs ?? startedAtMs;
    this.#delivery = makeDelivery(this, history);
  }

  async run(workflow: SimulatedWorkflow): Promise<Execution> {
    const end: { outcome?: string } = {};
    workflow({ step: (name) => this.#step(name), sleep: (ms) => this.#sleep(ms) }).then(
      (value) => (end.outcome = JSON.stringify(value)),
      (error: unknown) => (this.#failure = new Error('the workflow failed', { cause: error })),
    );
    while (end.outcome === undefined && !this.#hasCrashed) {
      await nextMacrotask();
      if (this.#failure !== undefined) throw this.#failure;
      if (end.outcome === undefined) this.#proceed();
    }
    this.#delivery.end();
    return { outcome: end.outcome, history: this.#history, executed: this.#executed, received: this.#received };
  }

  // Now and then an operation ends although results wait to be handed over.
  #proceed(): void {
    if (this.#isWoken && this.#random.next() < 0.8) {
      this.#isWoken = false;
      return this.#delivery.pump();
    }
    const next = this.#operations.reduce<Operation | undefined>(earlier, undefined);
    if (next === undefined) return this.#idle();
    this.#idleTurns = 0;
    this.#operations = this.#operations.filter((operation) => operation !== next);
    this.#clockMs = Math.max(this.#clockMs, next.atMs);
    next.finish();
  }

  // Code may be awaiting something that is not durable, for some turns.
  #idle(): void {
    this.#idleTurns = this.#isWoken ? 0 : this.#idleTurns + 1;
    if (this.#idleTurns > 100) throw new Error('nothing can happen any more');
  }

  async #step(name: string): Promise<number> {
    const begin = (call: Call): void => {
      this.#executed.push(idOf(call));
      const atMs = this.#clockMs + this.#random.integer(1, 5) ** 3;
      const finish = (): void => this.#delivery.complete(call, { output: String((effects.count += 1)) });
      this.#operations.push({ atMs, finish });
    };
    return (await this.#delivery.call({ kind: 'step', name, begin })) as number;
  }

  async #sleep(ms: number): Promise<void> {
    const atMs = this.#delivery.nowMs + ms;
    const begin = (call: Call): void => {
      this.#operations.push({ atMs, finish: () => this.#delivery.complete(call, {}) });
    };
    await this.#delivery.call({ kind: 'sleep', name: 'sleep', begin });
  }

  // ── DeliveryPort

  wake(): void {
    this.#isWoken = true;
  }

  now(): number {
    return this.#clockMs;
  }

  record(call: Call, result: Result, seq: number, finishedAtMs: number): void {
    if (this.#history.length >= this.#crashAfter) this.#hasCrashed = true;
    if (this.#hasCrashed) return;
    const { kind, name, occurrence, childId, startedAtMs: calledAtMs } = call;
    const { output, error } = result;
    const place = { seq, name, occurrence, kind, childId };
    this.#history.push({ ...place, output, error, startedAtMs: calledAtMs, finishedAtMs });
  }

  open(call: Call, { output }: Result): { readonly value: unknown } {
    this.#received.push(`${idOf(call)}=${output ?? ''}`);
    return { value: output === undefined ? undefined : Number(output) };
  }

  mismatch(expected: string, found: string): void {
    this.#failure = new Error(`the history does not fit: expected ${expected}, found ${found}`);
  }
}

function earlier(one: Operation | undefined, other: Operation): Operation {
  return one === undefined || other.atMs < one.atMs ? other : one;
}

/** How the simulation writes a step or sleep: its name, and from the second call on which one. */
function idOf({ name, occurrence }: { readonly name: string; readonly occurrence: number }): string {
  return occurrence === 1 ? name : `${name}#${occurrence}`;
}

/** The identities of recorded operations, in order. */
export function recordedIds(history: readonly StepRecord[]): readonly string[] {
  return history.map(idOf);
}

async function nextMacrotask(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

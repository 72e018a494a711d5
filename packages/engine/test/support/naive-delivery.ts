// What other engines do: a recorded result is handed over at once, to whoever makes the n-th call of its name. The tests
// of delivery order must fail with it, or they show nothing.

import type { Call, Result } from '../../src/run/call.js';
import type { DeliveryPort } from '../../src/run/delivery.js';
import type { StepRecord } from '../../src/store/steps.js';
import { startedAtMs, type SimulatedDelivery } from './delivery-simulation.js';

/** A delivery without an order. */
export class NaiveDelivery implements SimulatedDelivery {
  nowMs = startedAtMs;
  readonly #port: DeliveryPort;
  readonly #recorded: Map<string, StepRecord>;
  readonly #occurrences = new Map<string, number>();
  readonly #waiting = new Map<Call, (value: unknown) => void>();
  readonly #completed: [call: Call, result: Result][] = [];
  #seq: number;

  constructor(port: DeliveryPort, history: readonly StepRecord[]) {
    this.#port = port;
    this.#recorded = new Map(history.map((record) => [`${record.name} ${record.occurrence}`, record]));
    this.#seq = history.length;
  }

  async call({ kind, name, begin }: Parameters<SimulatedDelivery['call']>[0]): Promise<unknown> {
    const occurrence = (this.#occurrences.get(name) ?? 0) + 1;
    this.#occurrences.set(name, occurrence);
    const waits = { waitsUntilMs: undefined, childId: undefined };
    const call: Call = { kind, name, occurrence, startedAtMs: this.#port.now(), ...waits };
    const { output } = this.#recorded.get(`${name} ${occurrence}`) ?? {};
    if (this.#recorded.has(`${name} ${occurrence}`)) return this.#open(call, output === undefined ? {} : { output });
    return new Promise((resolve) => {
      this.#waiting.set(call, resolve);
      begin(call);
    });
  }

  complete(call: Call, result: Result): void {
    this.#completed.push([call, result]);
    this.#port.wake();
  }

  pump(): void {
    const [call, result] = this.#completed.shift() ?? [];
    if (call === undefined || result === undefined) return;
    this.nowMs = this.#port.now();
    this.#port.record(call, result, (this.#seq += 1), this.nowMs);
    this.#waiting.get(call)?.(this.#open(call, result));
    this.#port.wake();
  }

  end(): void {
    this.#waiting.clear();
  }

  #open(call: Call, result: Result): unknown {
    const opened = this.#port.open(call, result);
    return 'value' in opened ? opened.value : undefined;
  }
}

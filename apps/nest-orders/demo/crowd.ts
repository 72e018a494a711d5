// Customers who order small things all the time, whatever is killed meanwhile.

import { setTimeout as delay } from 'node:timers/promises';
import type { Customer } from './customer.js';

const pauseMs = 250;
const names = ['ada', 'grace', 'edsger', 'barbara', 'alan'];

export class Crowd {
  readonly #customer: Customer;
  readonly #prefix: string;
  readonly #leaving = new AbortController();
  readonly #ordering: Promise<void>;

  constructor(customer: Customer, prefix: string) {
    this.#customer = customer;
    this.#prefix = prefix;
    this.#ordering = this.#orderOn();
  }

  async leave(): Promise<void> {
    this.#leaving.abort();
    await this.#ordering;
  }

  async #orderOn(): Promise<void> {
    const { signal } = this.#leaving;
    for (let count = 1; !signal.aborted; count += 1) {
      const customer = names[count % names.length] ?? 'ada';
      await this.#customer.order({ id: `${this.#prefix}-${count}`, item: 'lamp', cents: 1_000 + count, customer });
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

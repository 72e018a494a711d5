// A client of the API. It counts how often the API has failed it.

import type { Order } from '../src/orders/order.js';

/** What is ordered: the rest of the order is the same for everyone. */
export type Wish = Pick<Order, 'id' | 'item' | 'cents' | 'customer'>;

const accepted = 202;

export class Customer {
  readonly #url: string;
  readonly #orders: string[] = [];
  #accepted = 0;
  #failed = 0;

  constructor(url: string) {
    this.#url = url;
  }

  /** The ids of the orders that the API has accepted. */
  get orders(): readonly string[] {
    return this.#orders;
  }

  /** How many requests the API has accepted. */
  get accepted(): number {
    return this.#accepted;
  }

  /** How many got another answer, or none within ten seconds. */
  get failed(): number {
    return this.#failed;
  }

  /** Resolves to the status of the answer, 0 if there was none. */
  async order(wish: Wish): Promise<number> {
    const status = await this.#post('/orders', { ...wish, email: 'someone@example.com', quantity: 1 });
    if (status === accepted) this.#orders.push(wish.id);
    return status;
  }

  async approve(id: string, approved: boolean): Promise<number> {
    return this.#post(`/orders/${id}/approval`, { approved, by: 'grace' });
  }

  async makeReport(): Promise<number> {
    return this.#post('/reports', {});
  }

  async #post(path: string, body: object): Promise<number> {
    const headers = { 'content-type': 'application/json' };
    const request = { method: 'POST', headers, body: JSON.stringify(body), signal: AbortSignal.timeout(10_000) };
    const status = await fetch(this.#url + path, request).then(
      (response) => response.status,
      () => 0,
    );
    if (status === accepted) {
      this.#accepted += 1;
    } else {
      this.#failed += 1;
      console.log(`  POST ${path} was answered with ${status === 0 ? 'nothing' : status}`);
    }
    return status;
  }
}

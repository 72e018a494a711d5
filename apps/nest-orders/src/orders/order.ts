// What the API and the workers agree on: names and types, and none of the code behind them.

import { contract, queue, topic } from 'perdure';

export interface Order {
  readonly id: string;
  readonly customer: string;
  readonly email: string;
  readonly item: string;
  readonly quantity: number;
  readonly cents: number;
}

/** How an order can end. */
export type Fulfilment =
  | { readonly status: 'shipped'; readonly charge: number; readonly parcel: number }
  | { readonly status: 'cancelled'; readonly reason: string };

/** Twenty orders at once, one of each customer. While an order waits for a person, others take its place. */
export const fulfilment = queue('fulfilment', {
  concurrency: 20,
  perKey: { concurrency: 1 },
  releaseWhileWaiting: true,
});

/** The workflow, for processes that do not run it. */
export const fulfilOrder = contract<Order, Fulfilment>('fulfil-order', { queue: fulfilment });

/** The answer of the person who has to agree to large orders. */
export interface Approval {
  readonly approved: boolean;
  readonly by: string;
}

/** Where the answer is sent to. */
export const approval = topic<Approval>('approval');

/** From here on a person has to agree. */
export const approvalFromCents = 50_000;

'use client';
// Which order it is about, and what went wrong with it.

import { useState } from 'react';
import { startRefund } from '../app/actions';
import { complaints } from '../lib/samples';
import type { Order } from '../lib/shop';
import { SubmitButton } from './submit-button';

export function RefundForm({ orders }: { readonly orders: readonly Order[] }) {
  const [chosen, choose] = useState(orders[0]?.id ?? '');
  return (
    <form action={startRefund} className="stack">
      <fieldset className="choices">
        <legend>Order</legend>
        {orders.map(({ id, customer, item, cents }) => (
          <label key={id} className="choice">
            <input type="radio" name="order" value={id} checked={id === chosen} onChange={() => choose(id)} />
            <span>
              <strong>{item}</strong>
              <small>
                {customer} · {id}
              </small>
            </span>
            <span className="amount">€{(cents / 100).toFixed(2)}</span>
          </label>
        ))}
      </fieldset>
      <label className="field">
        What went wrong?
        <textarea key={chosen} name="complaint" rows={3} required defaultValue={complaints[chosen]} />
      </label>
      <SubmitButton waiting="Starting…">Ask the agent</SubmitButton>
    </form>
  );
}

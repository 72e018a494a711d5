// What became of an order, asked of the tables and of nobody's memory.

import { Client } from 'pg';

/** What was found, and whether it is as it should be. */
export interface Finding {
  readonly isRight: boolean;
  readonly text: string;
}

const traces = `
select (select count(*) from shop.payments where order_id = o.id)::int as payments,
       (select count(*) from shop.shipments where order_id = o.id)::int as shipments,
       (select count(*) from shop.notifications where order_id = o.id)::int as notifications,
       (select coalesce(-sum(change), 0) from shop.stock where order_id = o.id)::int as taken,
       o.quantity
from shop.orders o
where 'order-' || o.id = $1
`;

interface Traces {
  readonly payments: number;
  readonly shipments: number;
  readonly notifications: number;
  readonly taken: number;
  readonly quantity: number;
}

/** Counts what the run of an order has left in the tables. */
export async function examine(databaseUrl: string, runId: string): Promise<readonly Finding[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<Traces>(traces, [runId]);
    const [found] = rows;
    if (found === undefined) return [{ isRight: false, text: `there is no order of run "${runId}"` }];
    const { taken, quantity } = found;
    return [
      once(found.payments, 'payment'),
      { isRight: taken === quantity, text: `${taken} of ${quantity} pieces taken from the stock` },
      once(found.shipments, 'shipment'),
      once(found.notifications, 'notification'),
    ];
  } finally {
    await client.end();
  }
}

function once(count: number, what: string): Finding {
  return { isRight: count === 1, text: `${count} ${what}${count === 1 ? '' : 's'}` };
}

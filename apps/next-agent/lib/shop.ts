// The shop: its orders, what was paid back, and the index of its texts, in the same Postgres as the runs.

import pg from 'pg';
import { pgSource } from 'perdure';

/** An order, as the agent's tool finds it. */
export interface Order {
  readonly id: string;
  readonly customer: string;
  readonly item: string;
  readonly cents: number;
  readonly daysAgo: number;
}

/** Its connections. */
export const shopPool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: 4 });
shopPool.on('error', () => undefined); // a connection that was lost is replaced

/** For steps whose writes must happen exactly once. */
export const shop = pgSource(shopPool);

const tables = `
  create table if not exists orders (id text primary key, customer text not null, item text not null, cents int not null, days_ago int not null);
  create table if not exists refunds (id bigserial primary key, order_id text not null references orders, cents int not null, run_id text not null);
  create table if not exists passages (run_id text not null, place int not null, words int not null, terms text[] not null, primary key (run_id, place));
  insert into orders values
    ('A-1001', 'Mira Lindqvist', 'Walnut desk lamp', 8900, 6),
    ('A-1002', 'Jonas Okafor', 'Linen bedding set', 14900, 21),
    ('A-1003', 'Priya Raman', 'Enamel teapot', 4200, 74)
  on conflict do nothing;
`;

/** Makes the tables and sample orders. Several processes may do so at once. */
export async function prepareShop(): Promise<void> {
  const client = await shopPool.connect();
  try {
    await client.query('begin; select pg_advisory_xact_lock(77120)');
    await client.query(tables);
    await client.query('commit');
  } finally {
    client.release();
  }
}

export async function listOrders(): Promise<readonly Order[]> {
  const { rows } = await shopPool.query<Order>(
    'select id, customer, item, cents, days_ago as "daysAgo" from orders order by id',
  );
  return rows;
}

export async function findOrder(id: string): Promise<Order | undefined> {
  return (await listOrders()).find((order) => order.id === id);
}

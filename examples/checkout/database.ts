// The tables of the shop, and what the steps of an order do to them. Nothing here knows of workflows.

import { Pool } from 'pg';

export interface Order {
  readonly id: number;
  readonly customer: string;
  readonly sku: string;
  readonly quantity: number;
  readonly totalCents: number;
}

export const database = new Pool({ connectionString: process.env['DATABASE_URL'] });

// Payments, shipments and notifications have no unique key on purpose: whatever is done twice is there twice, and the
// demo would find it. Stock shows what a step should be: safe to repeat.
const tables = `
create schema if not exists shop;
create table if not exists shop.orders (
  id int generated always as identity primary key,
  customer text not null,
  sku text not null,
  quantity int not null,
  total_cents int not null
);
create table if not exists shop.payments (
  id int generated always as identity primary key,
  order_id int not null references shop.orders,
  amount_cents int not null
);
create table if not exists shop.stock (
  sku text not null,
  order_id int references shop.orders,
  change int not null,
  unique (sku, order_id)
);
create table if not exists shop.shipments (
  id int generated always as identity primary key,
  order_id int not null references shop.orders
);
create table if not exists shop.notifications (
  id int generated always as identity primary key,
  order_id int not null references shop.orders,
  recipient text not null
);
`;

export async function createTables(): Promise<void> {
  await database.query(tables);
}

export async function placeOrder(order: Omit<Order, 'id'>): Promise<Order> {
  const { customer, sku, quantity, totalCents } = order;
  await database.query('insert into shop.stock (sku, change) values ($1, $2)', [sku, quantity]); // a delivery comes in
  const id = await number(
    'insert into shop.orders (customer, sku, quantity, total_cents) values ($1, $2, $3, $4) returning id as number',
    [customer, sku, quantity, totalCents],
  );
  return { id, ...order };
}

export async function countStock(sku: string): Promise<number> {
  return number('select coalesce(sum(change), 0)::int as number from shop.stock where sku = $1', [sku]);
}

export async function insertPayment({ id, totalCents }: Order): Promise<number> {
  return number('insert into shop.payments (order_id, amount_cents) values ($1, $2) returning id as number', [
    id,
    totalCents,
  ]);
}

/** Safe to repeat: an order takes from the stock once. */
export async function takeFromStock({ id, sku, quantity }: Order): Promise<void> {
  await database.query(
    'insert into shop.stock (sku, order_id, change) values ($1, $2, $3) on conflict (sku, order_id) do nothing',
    [sku, id, -quantity],
  );
}

export async function insertShipment({ id }: Order): Promise<number> {
  return number('insert into shop.shipments (order_id) values ($1) returning id as number', [id]);
}

export async function insertNotification({ id, customer }: Order): Promise<number> {
  return number('insert into shop.notifications (order_id, recipient) values ($1, $2) returning id as number', [
    id,
    customer,
  ]);
}

async function number(sql: string, values: readonly unknown[]): Promise<number> {
  const { rows } = await database.query<{ number: number }>(sql, [...values]);
  const [row] = rows;
  if (row === undefined) throw new Error(`nothing came back from "${sql}"`);
  return row.number;
}

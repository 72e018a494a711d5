// The books of the shop: one row for whatever was done. Nothing is unique on purpose: what is done twice is there twice.

import { pgSource, type PgClient } from 'perdure';
import { Pool } from 'pg';

/** What can be done for an order. */
export type Entry = 'charge' | 'reserve' | 'ship' | 'refund';

/** Who did it: the durable workflow, or a handler without any help. */
export type Side = 'durable' | 'plain';

/** A letter that the shop has sent. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly link?: string;
}

const tables = `
create schema if not exists shop_ledger;
create table if not exists shop_ledger.entries (
  id int generated always as identity primary key,
  order_id text not null,
  side text not null,
  entry text not null,
  cents int not null,
  pid int not null,
  at timestamptz not null default now()
);
create table if not exists shop_ledger.mails (
  id int generated always as identity primary key,
  recipient text not null,
  subject text not null,
  link text,
  at timestamptz not null default now()
);
`;

export const pool = new Pool({ connectionString: process.env['DATABASE_URL'] });
pool.on('error', () => undefined); // an idle connection broke; the next query gets another one

/** For transactional steps: what they write commits together with the fact that they are done. */
export const ledger = pgSource(pool);

export async function createTables(): Promise<void> {
  await pool.query(tables);
}

/** Writes a row into the books. Resolves to its number. */
export async function book(
  client: PgClient,
  order: { readonly id: string; readonly cents: number },
  { entry, side }: { readonly entry: Entry; readonly side: Side },
): Promise<number> {
  const cents = { charge: order.cents, reserve: 0, ship: 0, refund: -order.cents }[entry];
  const { rows } = await client.query<{ id: number }>(
    'insert into shop_ledger.entries (order_id, side, entry, cents, pid) values ($1, $2, $3, $4, $5) returning id',
    [order.id, side, entry, cents, process.pid],
  );
  return rows[0]?.id ?? 0;
}

export async function sendMail(client: PgClient, { to, subject, link }: Mail): Promise<void> {
  await client.query('insert into shop_ledger.mails (recipient, subject, link) values ($1, $2, $3)', [
    to,
    subject,
    link,
  ]);
}

/** The newest rows of both books, newest first. */
export async function readBooks(): Promise<{
  readonly entries: readonly unknown[];
  readonly mails: readonly unknown[];
}> {
  const [entries, mails] = await Promise.all([
    pool.query(
      'select id, order_id as "orderId", side, entry, cents, pid from shop_ledger.entries order by id desc limit 60',
    ),
    pool.query('select id, recipient, subject, link from shop_ledger.mails order by id desc limit 5'),
  ]);
  return { entries: entries.rows, mails: mails.rows };
}

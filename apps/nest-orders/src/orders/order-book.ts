// The table of orders. The API writes to it in its own transaction, workflows in steps.

import { Injectable } from '@nestjs/common';
import { runTransaction } from 'perdure';
import type { PoolClient } from 'pg';
import { Database } from '../database/database.js';
import type { Order } from './order.js';

/** An order as it stands. */
export interface OrderRow extends Order {
  readonly status: string;
}

@Injectable()
export class OrderBook {
  constructor(private readonly database: Database) {}

  /** Resolves to whether the order is new. */
  async add(client: PoolClient, { id, customer, email, item, quantity, cents }: Order): Promise<boolean> {
    const { rowCount } = await client.query(
      `insert into shop.orders (id, customer, email, item, quantity, cents)
       values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
      [id, customer, email, item, quantity, cents],
    );
    return rowCount === 1;
  }

  async find(id: string): Promise<OrderRow | undefined> {
    const [row] = await this.database.query<OrderRow>(
      'select id, customer, email, item, quantity, cents, status from shop.orders where id = $1',
      [id],
    );
    return row;
  }

  /** A step of a workflow, exactly once: its writes commit together with the fact that it is done. */
  async mark({ id }: Order, status: string): Promise<void> {
    await runTransaction('mark', this.database.source, async (client) => {
      await client.query('update shop.orders set status = $2 where id = $1', [id, status]);
    });
  }
}

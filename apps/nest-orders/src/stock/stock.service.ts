// The warehouse. Each method is a step that happens exactly once: its writes commit together with the fact that it is done.

import { Injectable } from '@nestjs/common';
import { runTransaction } from 'perdure';
import { Database } from '../database/database.js';
import type { Order } from '../orders/order.js';

@Injectable()
export class StockService {
  constructor(private readonly database: Database) {}

  /** Sets the goods aside. Resolves to whether there were enough. */
  async reserve({ item, quantity }: Order): Promise<boolean> {
    return runTransaction('reserve', this.database.source, async (client) => {
      const { rowCount } = await client.query(
        'update shop.stock set on_hand = on_hand - $2 where item = $1 and on_hand >= $2',
        [item, quantity],
      );
      return rowCount === 1;
    });
  }

  /** Undoes `reserve`. */
  async release({ item, quantity }: Order): Promise<void> {
    await runTransaction('release', this.database.source, async (client) => {
      await client.query('update shop.stock set on_hand = on_hand + $2 where item = $1', [item, quantity]);
    });
  }

  /** Hands the goods over. Resolves to the number of the parcel. */
  async ship({ id }: Order): Promise<number> {
    return runTransaction('ship', this.database.source, async (client) => {
      const { rows } = await client.query<{ number: number }>(
        'insert into shop.parcels (order_id, packed_by) values ($1, $2) returning number',
        [id, process.pid],
      );
      return rows[0]?.number ?? 0;
    });
  }
}

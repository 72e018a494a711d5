// Looks into the books of the shop and of the bank: SQL of its own, so that it does not take the application's word for anything.

import { Pool } from 'pg';

/** What the books say of one order. */
export interface Verdict {
  readonly id: string;
  readonly status: string;
  /** How many charges the bank has booked. */
  readonly charges: number;
  /** Which processes have asked the bank for it, in their order. */
  readonly askedBy: readonly number[];
  readonly parcels: number;
  /** The process that has shipped it last. */
  readonly packedBy: number | null;
}

/** Whether an order has come to its end. */
export function isFinal({ status }: Verdict): boolean {
  return status === 'shipped' || status === 'cancelled';
}

/** Whether it was charged once and shipped once; or neither, if it was cancelled. */
export function isRight({ status, charges, parcels }: Verdict): boolean {
  const times = status === 'shipped' ? 1 : 0;
  return charges === times && parcels === times;
}

const verdicts = `
  select orders.id, orders.status,
    (select count(*)::int from bank.charges where reference = orders.id) as charges,
    coalesce((select asked_by from bank.charges where reference = orders.id order by number limit 1), '{}') as "askedBy",
    (select count(*)::int from shop.parcels where order_id = orders.id) as parcels,
    (select packed_by from shop.parcels where order_id = orders.id order by number desc limit 1) as "packedBy"
  from shop.orders
  where orders.id like $1 || '%'
  order by placed_at`;

export class Judge {
  readonly #pool: Pool;

  constructor(databaseUrl: string) {
    this.#pool = new Pool({ connectionString: databaseUrl, max: 2 });
    this.#pool.on('error', () => undefined);
  }

  /** On all orders whose ids begin with this. */
  async verdictsOn(prefix: string): Promise<readonly Verdict[]> {
    return (await this.#pool.query<Verdict>(verdicts, [prefix])).rows;
  }

  /** On one order. */
  async findVerdict(id: string): Promise<Verdict | undefined> {
    return (await this.verdictsOn(id)).find((verdict) => verdict.id === id);
  }

  /** A charge that the bank has booked within this time, and the worker that has asked for it. */
  async findChargeSince(sinceMs: number): Promise<{ readonly order: string; readonly pid: number } | undefined> {
    const { rows } = await this.#pool.query<{ order: string; pid: number }>(
      `select reference as "order", asked_by[1] as pid from bank.charges
       where booked_at > now() - $1 * interval '1 millisecond' and cardinality(asked_by) = 1
       order by number desc limit 1`,
      [sinceMs],
    );
    return rows[0];
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

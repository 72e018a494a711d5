// Stands for a payment provider: elsewhere, slow, and with idempotency keys, as all of them have. It notes who has asked for what.

import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { Settings } from '../settings.js';

/** What the bank is asked for. */
export interface ChargeRequest {
  /** The same key is the same charge, however often it is asked for. */
  readonly idempotencyKey: string;
  readonly reference: string;
  readonly cents: number;
}

const limitCents = 2_000_000;

@Injectable()
export class Bank {
  constructor(
    private readonly database: Database,
    private readonly settings: Settings,
  ) {}

  /** Resolves to the number of the charge, or to undefined if the bank refuses. */
  async charge({ idempotencyKey, reference, cents }: ChargeRequest): Promise<number | undefined> {
    if (cents > limitCents) return undefined;
    const [charge] = await this.database.query<{ number: number }>(
      `insert into bank.charges (idempotency_key, reference, cents, asked_by) values ($1, $2, $3, array[$4::int])
       on conflict (idempotency_key) do update set asked_by = charges.asked_by || excluded.asked_by
       returning number`,
      [idempotencyKey, reference, cents, process.pid],
    );
    await delay(this.settings.bankAnswersAfterMs); // the money has moved, and nobody knows yet: a bad moment to die
    return charge?.number;
  }
}

import { Injectable } from '@nestjs/common';
import { Step } from '@perdure/nestjs';
import { currentRun } from 'perdure';
import type { Order } from '../orders/order.js';
import { Bank } from './bank.js';

@Injectable()
export class PaymentsService {
  constructor(private readonly bank: Bank) {}

  /**
   * Resolves to the number of the charge, or to undefined if it is refused. A step is executed again if its process dies before the
   * answer is recorded; the key, which is the run's, makes that the same charge.
   */
  @Step({ retry: { maxAttempts: 5, delay: '1s', backoff: 2 }, timeout: '20s' })
  async charge({ id, cents }: Order): Promise<number | undefined> {
    return this.bank.charge({ idempotencyKey: `${currentRun().id}/charge`, reference: id, cents });
  }
}

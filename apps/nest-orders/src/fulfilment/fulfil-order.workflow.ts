// An order, from payment to parcel. It reads as any service does, and survives its process.

import { Logger } from '@nestjs/common';
import { Workflow } from '@perdure/nestjs';
import { receive } from 'perdure';
import { MailService } from '../mail/mail.service.js';
import { OrderBook } from '../orders/order-book.js';
import { approval, approvalFromCents, fulfilOrder, type Fulfilment, type Order } from '../orders/order.js';
import { PaymentsService } from '../payments/payments.service.js';
import { StockService } from '../stock/stock.service.js';

@Workflow(fulfilOrder)
export class FulfilOrder {
  private readonly logger = new Logger(FulfilOrder.name); // each line once, whatever is replayed: see worker.ts

  constructor(
    private readonly orders: OrderBook,
    private readonly payments: PaymentsService,
    private readonly stock: StockService,
    private readonly mail: MailService,
  ) {}

  async run(order: Order): Promise<Fulfilment> {
    if (order.cents >= approvalFromCents && !(await this.isApproved(order))) return this.cancel(order, 'not approved');
    if (!(await this.stock.reserve(order))) return this.cancel(order, 'out of stock');

    this.logger.log('asks the bank');
    const charge = await this.payments.charge(order);
    if (charge === undefined) {
      await this.stock.release(order);
      return this.cancel(order, 'payment refused');
    }
    this.logger.log(`charge ${charge} is booked`);

    const parcel = await this.stock.ship(order);
    await this.orders.mark(order, 'shipped');
    await this.mail.send(order.email, `Your ${order.item} is on its way, parcel ${parcel}`);
    this.logger.log(`parcel ${parcel} is on its way`);
    return { status: 'shipped', charge, parcel };
  }

  private async isApproved(order: Order): Promise<boolean> {
    await this.orders.mark(order, 'waiting for approval');
    await this.mail.send('boss@shop.example', `Approve order ${order.id}?`);
    this.logger.log('waits for approval');
    const answer = await receive(approval, { timeout: '2 days' }); // a waiting run is a row: deploy as often as you like
    return answer?.approved === true;
  }

  private async cancel(order: Order, reason: string): Promise<Fulfilment> {
    await this.orders.mark(order, 'cancelled');
    await this.mail.send(order.email, `Your order ${order.id} is cancelled: ${reason}`);
    this.logger.log(`cancelled: ${reason}`);
    return { status: 'cancelled', reason };
  }
}

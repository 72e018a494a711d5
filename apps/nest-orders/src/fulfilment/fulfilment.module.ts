import { Module } from '@nestjs/common';
import { MailModule } from '../mail/mail.module.js';
import { OrderBookModule } from '../orders/order-book.module.js';
import { PaymentsModule } from '../payments/payments.module.js';
import { StockModule } from '../stock/stock.module.js';
import { FulfilOrder } from './fulfil-order.workflow.js';

/** Part of the workers. A workflow is a provider like any other. */
@Module({ imports: [OrderBookModule, PaymentsModule, StockModule, MailModule], providers: [FulfilOrder] })
export class FulfilmentModule {}

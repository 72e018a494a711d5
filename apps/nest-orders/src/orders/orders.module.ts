import { Module } from '@nestjs/common';
import { OrderBookModule } from './order-book.module.js';
import { OrdersController } from './orders.controller.js';
import { OrdersService } from './orders.service.js';

/** Part of the API. It knows the contract of the workflow, and nothing of how orders are fulfilled. */
@Module({ imports: [OrderBookModule], controllers: [OrdersController], providers: [OrdersService] })
export class OrdersModule {}

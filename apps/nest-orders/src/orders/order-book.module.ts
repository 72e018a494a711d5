import { Module } from '@nestjs/common';
import { OrderBook } from './order-book.js';

/** Part of both the API and the workers. */
@Module({ providers: [OrderBook], exports: [OrderBook] })
export class OrderBookModule {}

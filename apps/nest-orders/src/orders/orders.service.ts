// Orders as the API sees them: placed, looked at, answered.

import { ConflictException, Injectable, NotFoundException } from '@nestjs/common';
import { InjectEngine, InjectWorkflow, WorkflowRef } from '@perdure/nestjs';
import type { Engine } from 'perdure';
import { Database } from '../database/database.js';
import { OrderBook, type OrderRow } from './order-book.js';
import { approval, fulfilOrder, type Approval, type Order } from './order.js';

/** An order, and how far it has come. */
export interface OrderView extends OrderRow {
  /** The steps that are recorded. After a crash it goes on behind the last of them. */
  readonly steps: readonly string[];
}

@Injectable()
export class OrdersService {
  constructor(
    private readonly database: Database,
    private readonly book: OrderBook,
    @InjectWorkflow(fulfilOrder) private readonly fulfilment: WorkflowRef<typeof fulfilOrder>,
    @InjectEngine() private readonly engine: Engine,
  ) {}

  /** The order's row and its run are there together, or neither of them. Throws ConflictException for an id that is taken. */
  async place(order: Order): Promise<void> {
    await this.database.transaction(async (client) => {
      const isNew = await this.book.add(client, order);
      if (!isNew) throw new ConflictException(`There is an order ${order.id} already.`);
      await this.fulfilment.start(order, { id: order.id, partitionKey: order.customer, transaction: client });
    });
  }

  async view(id: string): Promise<OrderView> {
    const order = await this.book.find(id);
    if (order === undefined) throw new NotFoundException(`There is no order ${id}.`);
    const steps = await this.engine.runs.steps(id);
    return { ...order, steps: steps.map(({ name }) => name) };
  }

  /** Tells an order that waits for it. A second answer of the same person has no effect. Throws RUN_NOT_FOUND, RUN_STATE_CONFLICT. */
  async answer(id: string, { approved, by }: Approval): Promise<void> {
    await this.fulfilment.send(id, approval, { approved, by }, { dedupKey: by });
  }
}

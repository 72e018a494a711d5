// A worker whose database and time are the test's, and a bank that does what it is told.

import 'reflect-metadata';
import type { TestingModule } from '@nestjs/testing';
import { createPerdureTest, type PerdureTest } from '@perdure/nestjs/testing';
import type { RunHandle } from 'perdure';
import { Database } from '../../src/database/database.js';
import { fulfilOrder, type Fulfilment, type Order } from '../../src/orders/order.js';
import { Bank, type ChargeRequest } from '../../src/payments/bank.js';
import { Settings } from '../../src/settings.js';
import { WorkerModule } from '../../src/worker.module.js';

/** In place of the bank. */
export class FakeBank {
  readonly requests: ChargeRequest[] = [];
  /** Undefined: it refuses. */
  answer: (request: ChargeRequest) => number | undefined | Promise<number | undefined> = () => this.requests.length;

  async charge(request: ChargeRequest): Promise<number | undefined> {
    this.requests.push(request);
    return this.answer(request);
  }
}

export interface WorkerTest extends PerdureTest<TestingModule> {
  readonly database: Database;
  readonly bank: FakeBank;
  /** Places an order as the API does. */
  place(order: Order): Promise<RunHandle<Fulfilment>>;
}

/** The worker of production, on a database of its own. Close it. */
export async function startWorker(options: { readonly startsAt?: Date } = {}): Promise<WorkerTest> {
  const bank = new FakeBank();
  const test = await createPerdureTest(
    { imports: [WorkerModule] },
    {
      ...options,
      override: (builder, { url }) =>
        builder
          .overrideProvider(Settings)
          .useValue({ databaseUrl: url, lease: '6s' })
          .overrideProvider(Bank)
          .useValue(bank),
    },
  );
  const place = (order: Order): Promise<RunHandle<Fulfilment>> =>
    test.engine.startWorkflow(fulfilOrder, order, { id: order.id, partitionKey: order.customer });
  return { ...test, database: test.app.get(Database, { strict: false }), bank, place };
}

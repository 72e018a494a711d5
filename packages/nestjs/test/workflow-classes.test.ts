// A workflow class is an ordinary provider: what it injects, how it is started, where its code may be.

import { forwardRef, Inject, Injectable, Module } from '@nestjs/common';
import { expect, test } from '@jest/globals';
import { contract, log, silentLogger, type Engine } from 'perdure';
import {
  getEngineToken,
  getWorkflowToken,
  InjectEngine,
  InjectWorkflow,
  PerdureModule,
  Step,
  Workflow,
  type WorkflowRef,
} from '../src/index.js';
import { useNestDatabase } from './support/nest-database.js';

const db = useNestDatabase();

interface Order {
  readonly sku: string;
}

@Injectable()
class Payments {
  readonly charged: string[] = [];

  async charge(sku: string): Promise<string> {
    this.charged.push(sku);
    return `payment of ${sku}`;
  }
}

@Workflow('checkout')
class CheckoutWorkflow {
  constructor(@Inject(Payments) private readonly payments: Payments) {}

  async run(order: Order): Promise<string> {
    return this.charge(order);
  }

  @Step()
  async charge(order: Order): Promise<string> {
    return this.payments.charge(order.sku);
  }
}

@Injectable()
class Orders {
  constructor(
    @InjectWorkflow(CheckoutWorkflow) readonly checkout: WorkflowRef<CheckoutWorkflow>,
    @InjectEngine() readonly engine: Engine,
  ) {}
}

test('a workflow class uses what is injected, and its steps are recorded', async () => {
  const app = await db.boot({ providers: [CheckoutWorkflow, Payments, Orders] });

  const run = await app.get(Orders).checkout.start({ sku: 'A-1' });

  expect(await run.result()).toBe('payment of A-1');
  expect(app.get(Payments).charged).toEqual(['A-1']);
  const steps = await app.get(Orders).engine.runs.steps(run.id);
  expect(steps.map(({ name, output }) => [name, output])).toEqual([['charge', 'payment of A-1']]);
});

test('a ref starts under an id, and finds the run again', async () => {
  const { checkout } = (await db.boot({ providers: [CheckoutWorkflow, Payments, Orders] })).get(Orders);

  const first = await checkout.start({ sku: 'A-2' }, { id: 'order-2' });
  const again = await checkout.start({ sku: 'A-2' }, { id: 'order-2' });

  expect([first.isNew, again.isNew]).toEqual([true, false]);
  expect(await checkout.get('order-2').result()).toBe('payment of A-2');
});

test('a module of a feature injects refs without importing anything', async () => {
  @Module({ providers: [CheckoutWorkflow, Payments, Orders], exports: [Orders] })
  class OrdersModule {}
  const app = await db.boot({ imports: [OrdersModule] });

  const run = await app.get(Orders, { strict: false }).checkout.start({ sku: 'A-3' });

  expect(await run.result()).toBe('payment of A-3');
});

test('a class implements a contract, and is started by the contract alone', async () => {
  const doubling = contract<number, number>('doubling');
  @Workflow(doubling)
  class Doubling {
    async run(value: number): Promise<number> {
      return 2 * value;
    }
  }
  @Injectable()
  class Caller {
    constructor(@InjectWorkflow(doubling) readonly ref: WorkflowRef<typeof doubling>) {}
  }
  const app = await db.boot({ providers: [Doubling, Caller] });

  const run = await app.get(Caller).ref.start(21);

  expect(await run.result()).toBe(42);
});

test('a step of any provider is recorded in the run that calls it: private, inherited and generic ones', async () => {
  class Base {
    @Step()
    async inherited(): Promise<string> {
      return 'inherited';
    }
  }
  @Injectable()
  class Helper extends Base {
    all(): Promise<unknown> {
      return Promise.all([this.hidden(), this.inherited(), this.generic({ a: 1 })]);
    }

    @Step({ name: 'hidden step' })
    private async hidden(): Promise<string> {
      return 'hidden';
    }

    @Step()
    async generic<T>(value: T): Promise<T> {
      return value;
    }
  }
  @Workflow('helped')
  class Helped {
    constructor(@Inject(Helper) private readonly helper: Helper) {}

    async run(): Promise<unknown> {
      return this.helper.all();
    }
  }
  const app = await db.boot({ providers: [Helped, Helper] });
  const engine = app.get<Engine>(getEngineToken());

  const run = await engine.startWorkflow(Helped);

  expect(await run.result()).toEqual(['hidden', 'inherited', { a: 1 }]);
  const names = (await engine.runs.steps(run.id)).map(({ name }) => name);
  expect(names.sort()).toEqual(['generic', 'hidden step', 'inherited']);
});

test('a class that was decorated by the package of the engine is found as well', async () => {
  const { Workflow: EngineWorkflow } = await import('perdure');
  @EngineWorkflow('of the engine')
  @Injectable()
  class OfTheEngine {
    async run(): Promise<string> {
      log.debug({}, 'here');
      return 'found';
    }
  }
  const app = await db.boot({ providers: [OfTheEngine] });

  const run = await app.get<Engine>(getEngineToken()).startWorkflow(OfTheEngine);

  expect(await run.result()).toBe('found');
});

test('a module that is not global gives refs to those who import it', async () => {
  @Module({
    imports: [PerdureModule.forRoot(db.options({ isGlobal: false }))],
    providers: [CheckoutWorkflow, Payments],
    exports: [PerdureModule],
  })
  class WorkflowsModule {}
  @Module({ imports: [WorkflowsModule], providers: [Orders] })
  class OrdersModule {}
  const { Test } = await import('@nestjs/testing');
  const app = db.closeLater(await (await Test.createTestingModule({ imports: [OrdersModule] }).compile()).init());

  const run = await app.get(Orders, { strict: false }).checkout.start({ sku: 'A-4' });

  expect(await run.result()).toBe('payment of A-4');
  expect(app.get(getWorkflowToken(CheckoutWorkflow), { strict: false })).toBe(
    app.get(Orders, { strict: false }).checkout,
  );
});

test('a run of a class that no module provides waits, and the log says so, once', async () => {
  const warnings: string[] = [];
  const logger = { ...silentLogger, warn: (_fields: unknown, message: string) => void warnings.push(message) };
  const { checkout } = (await db.bootWith({ logger }, { providers: [Orders] })).get(Orders);

  const runs = [await checkout.start({ sku: 'A-5' }), await checkout.start({ sku: 'A-6' })];

  expect(await Promise.all(runs.map((run) => run.status()))).toEqual(['queued', 'queued']);
  expect(warnings).toEqual(['no module provides CheckoutWorkflow: runs of "checkout" wait for a process that does']);
});

test('a workflow that is declared further down, or in a file that imports this one, is injected late', async () => {
  @Injectable()
  class Early {
    constructor(@InjectWorkflow(forwardRef(() => Late)) readonly late: WorkflowRef<{ run(): Promise<string> }>) {}
  }
  @Workflow('declared late')
  class Late {
    async run(): Promise<string> {
      return 'late';
    }
  }
  const app = await db.boot({ providers: [Early, Late] });

  const run = await app.get(Early).late.start();

  expect(await run.result()).toBe('late');
});

test('what is no workflow, as in files that import each other, is refused where it is injected', () => {
  expect(() => InjectWorkflow(class Plain {} as never)).toThrow('OPTION_INVALID: option workflow cannot be');
  expect(() => InjectWorkflow(undefined as never)).toThrow('write @InjectWorkflow(forwardRef(() => TheWorkflow))');
});

// What the compiler accepts and refuses. Checked by `npm run types`; never executed.

import { Injectable } from '@nestjs/common';
import { contract, topic, type RunHandle, type Tick } from 'perdure';
import { InjectWorkflow, PerdureModule, Scheduled, Step, Workflow, type WorkflowRef } from '../src/index.js';
import { expose } from '@perdure/http';
import { PerdureHttpModule } from '../src/http/index.js';

interface Order {
  readonly sku: string;
}

const orderContract = contract<Order, number>('order');
const approval = topic<{ approved: boolean }>('approval');

@Workflow('checkout', { version: '2', engine: 'shop', enhancers: true })
class Checkout {
  async run(order: Order): Promise<{ readonly paid: number }> {
    return { paid: await this.identity(order.sku.length) };
  }

  @Step({ retry: { maxAttempts: 3 } })
  private async identity<T>(value: T): Promise<T> {
    return value;
  }
}

@Workflow('without input')
class WithoutInput {
  async run(): Promise<string> {
    return 'done';
  }
}

@Injectable()
class Plain {
  async walk(): Promise<void> {}

  @Scheduled('@daily', { name: 'daily' })
  async daily(_tick: Tick): Promise<void> {}

  // @ts-expect-error a scheduled method needs a name of its own
  @Scheduled('@daily')
  async nameless(): Promise<void> {}

  // @ts-expect-error a scheduled method returns a promise
  @Scheduled('@daily', { name: 'synchronous' })
  synchronous(): void {}
}

export class Caller {
  constructor(
    @InjectWorkflow(Checkout) readonly checkout: WorkflowRef<Checkout>,
    @InjectWorkflow(WithoutInput) readonly without: WorkflowRef<WithoutInput>,
    @InjectWorkflow(orderContract, 'shop') readonly order: WorkflowRef<typeof orderContract>,
    // @ts-expect-error a class without run is no workflow
    @InjectWorkflow(Plain) readonly plain: unknown,
    // @ts-expect-error nor is it for a ref
    readonly ref: WorkflowRef<Plain>,
  ) {}

  async call(): Promise<void> {
    const paid: { readonly paid: number } = await (await this.checkout.start({ sku: 'A-1' }, { id: 'o-1' })).result();
    const done: string = await (await this.without.start()).result();
    const count: number = await (await this.order.start({ sku: 'A-1' })).result();
    const handle: RunHandle<{ readonly paid: number }> = this.checkout.get('o-1');
    await this.checkout.send('o-1', approval, { approved: true });
    void [paid, done, count, handle];
    // @ts-expect-error the input is missing
    await this.checkout.start();
    // @ts-expect-error the input has the wrong type
    await this.checkout.start({ sku: 7 });
    // @ts-expect-error an option has the wrong type
    await this.checkout.start({ sku: 'A-1' }, { id: 7 });
    // @ts-expect-error there is no such option
    await this.checkout.start({ sku: 'A-1' }, { idd: 'o-1' });
    // @ts-expect-error a misspelt method
    await this.checkout.strat({ sku: 'A-1' });
    // @ts-expect-error the message has the wrong type
    await this.checkout.send('o-1', approval, { approved: 'yes' });
    // @ts-expect-error the result has another type
    const wrong: string = await this.order.get('o-1').result();
    void wrong;
  }
}

export function misplaced(): unknown[] {
  // @ts-expect-error there is no run
  @Workflow('no run')
  class NoRun {}

  // @ts-expect-error run returns a promise
  @Workflow('synchronous')
  class Synchronous {
    run(): number {
      return 1;
    }
  }

  // @ts-expect-error the input is not that of the contract
  @Workflow(orderContract)
  class WrongInput {
    async run(order: number): Promise<number> {
      return order;
    }
  }

  // @ts-expect-error the result is not that of the contract
  @Workflow(orderContract)
  class WrongResult {
    async run(order: Order): Promise<string> {
      return order.sku;
    }
  }

  // @ts-expect-error there is no such option
  @Workflow('misspelt', { engin: 'shop' })
  class Misspelt {
    async run(): Promise<void> {}
  }

  return [NoRun, Synchronous, WrongInput, WrongResult, Misspelt];
}

export function modules(): unknown[] {
  return [
    PerdureModule.forRoot({ database: 'postgres://', isGlobal: false, name: 'shop', lease: '10s' }),
    PerdureModule.forRootAsync({ name: 'shop', useFactory: () => ({ database: undefined, worker: false }) }),
    PerdureModule.forFeature([Checkout, orderContract]),
    PerdureHttpModule.forRoot({ expose: [Checkout, expose({ workflow: Checkout, topics: [] })] }),
    // @ts-expect-error there is no such option
    PerdureModule.forRoot({ databse: 'postgres://' }),
    // @ts-expect-error a class without run is no workflow
    PerdureModule.forFeature([Plain]),
  ];
}

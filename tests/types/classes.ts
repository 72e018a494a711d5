// What the compiler accepts and refuses of workflows and steps as classes. Checked in both decorator systems: in that of
// TC39 by `npm run types`, in the legacy one by decorators.test.ts. Never executed.

import { Step, startWorkflow, Workflow, type Engine, type RunId } from 'perdure';
import { expectType } from './expect-type.js';

declare const engine: Engine;

interface Order {
  readonly sku: string;
}

interface Payments {
  charge(order: Order): Promise<number>;
}

@Workflow('checkout', { version: '2', timeout: '1h' })
class Checkout {
  readonly #payments: Payments;

  constructor(payments: Payments) {
    this.#payments = payments;
  }

  async run(order: Order): Promise<{ readonly paid: number }> {
    expectType<string>()(await this.identity<string>('x'));
    expectType<number>()(await Checkout.audit(order.sku));
    // @ts-expect-error a decorated method keeps its type
    await this.charge('A-1');
    return { paid: await this.charge(order) };
  }

  @Step({ retry: { maxAttempts: 5 }, timeout: '30s' })
  async charge(order: Order): Promise<number> {
    return this.#payments.charge(order);
  }

  @Step()
  async identity<T>(value: T): Promise<T> {
    return value;
  }

  @Step({ name: 'audit of a checkout' })
  static async audit(sku: string): Promise<number> {
    return sku.length;
  }

  @Step()
  protected async hidden(): Promise<void> {}
}

@Workflow('without input')
class WithoutInput {
  async run(): Promise<string> {
    return 'done';
  }
}

export async function starts(payments: Payments): Promise<void> {
  engine.register(new Checkout(payments)).register(new WithoutInput());
  expectType<{ readonly paid: number }>()(await (await engine.startWorkflow(Checkout, { sku: 'A-1' })).result());
  expectType<string>()(await (await engine.startWorkflow(WithoutInput)).result());
  expectType<RunId>()(await startWorkflow(Checkout, { sku: 'A-1' }, { id: 'order-7' }));
  expectType<{ readonly paid: number }>()(await engine.getHandle('order-7', Checkout).result());
  // @ts-expect-error the input is missing
  await engine.startWorkflow(Checkout);
  // @ts-expect-error the input has the wrong type
  await engine.startWorkflow(Checkout, { sku: 7 });
  // @ts-expect-error an option has the wrong type
  await engine.startWorkflow(Checkout, { sku: 'A-1' }, { id: 7 });
  // @ts-expect-error an instance is registered, its class is started
  await engine.startWorkflow(new Checkout(payments), { sku: 'A-1' });
  // @ts-expect-error a class without run is no workflow
  await engine.startWorkflow(Date);
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

  // @ts-expect-error run has one input
  @Workflow('two inputs')
  class TwoInputs {
    async run(a: string, b: string): Promise<string> {
      return a + b;
    }
  }

  class Steps {
    // @ts-expect-error a field is no method
    @Step()
    field = 1;

    // @ts-expect-error a step returns a promise
    @Step()
    synchronous(): number {
      return 1;
    }

    // @ts-expect-error there is no such option
    @Step({ attempts: 3 })
    async unknownOption(): Promise<void> {}

    // @ts-expect-error it is called first: @Step()
    @Step
    async notCalled(): Promise<void> {}
  }

  return [NoRun, Synchronous, TwoInputs, Steps];
}

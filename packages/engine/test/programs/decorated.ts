// A workflow as a class, to be compiled in both decorator systems by the compilers that users have. It imports the
// package by name, so that it can be compiled to anywhere.

import { createEngine, currentStep, silentLogger, Step, Workflow, type ConnectionConfig } from 'perdure';

interface Mail {
  send(to: string): Promise<string>;
}

@Workflow('decorated-checkout', { timeout: '1m' })
class Checkout {
  readonly #mail: Mail;

  constructor(mail: Mail) {
    this.#mail = mail;
  }

  async run(order: { readonly to: string; readonly total: number }): Promise<readonly string[]> {
    const receipts = [await this.charge(order.total), await this.#confirm(order.to)];
    return [...receipts, await this.identity('generic'), await Checkout.audit(receipts.length)];
  }

  @Step({ name: 'charge the card', retry: { maxAttempts: 2, delay: 0 } })
  async charge(total: number): Promise<string> {
    if (currentStep().attempt === 1) throw new Error('declined');
    return `charged ${total}`;
  }

  @Step()
  async identity<T>(value: T): Promise<T> {
    return value;
  }

  @Step()
  static async audit(count: number): Promise<string> {
    return `${count} receipts`;
  }

  #confirm(to: string): Promise<string> {
    return this.confirm(to);
  }

  @Step()
  private async confirm(to: string): Promise<string> {
    return this.#mail.send(to);
  }
}

const { PERDURE_TEST_ENGINE: options = '{}' } = process.env;
const chosen = JSON.parse(options) as { readonly database: ConnectionConfig };
const engine = createEngine({ logger: silentLogger, ...chosen });
engine.register(new Checkout({ send: async (to) => Promise.resolve(`mailed ${to}`) }));
await engine.launch();
const run = await engine.startWorkflow(Checkout, { to: 'Ada', total: 7 });
const result = await run.result();
const steps = (await engine.runs.steps(run.id)).map(({ name, kind }) => `${kind} ${name}`);
await engine.close();
console.log(JSON.stringify({ type: 'done', result, steps }));

// The demo for a person: keys place orders, approve them, kill workers and open the books.

import { emitKeypressEvents } from 'node:readline';
import { Customer } from './customer.js';
import type { Fleet } from './fleet.js';
import type { Judge } from './judge.js';

const help = `
  o  order a lamp                 k  kill -9 a worker; another one is started five seconds later
  p  order a piano                b  open the books
  a  approve the pianos           q  quit
`;

/** Resolves when the visitor leaves. */
export async function serveVisitor(fleet: Fleet, judge: Judge): Promise<void> {
  const visitor = new Visitor(fleet, judge);
  console.log(`\n  The API: ${fleet.url}/docs\n${help}`);
  await visitor.leaves();
}

class Visitor {
  readonly #fleet: Fleet;
  readonly #judge: Judge;
  readonly #customer: Customer;
  readonly #prefix = Date.now().toString(36);
  #count = 0;

  constructor(fleet: Fleet, judge: Judge) {
    this.#fleet = fleet;
    this.#judge = judge;
    this.#customer = new Customer(fleet.url);
  }

  async leaves(): Promise<void> {
    const { stdin } = process;
    const left = new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
      stdin.on('keypress', (_text: string, { name, ctrl }: { readonly name?: string; readonly ctrl: boolean }) => {
        if (name === 'q' || (ctrl && name === 'c')) resolve();
        else this.#press(name).catch((error: unknown) => console.error(error));
      });
    });
    emitKeypressEvents(stdin);
    if (stdin.isTTY) stdin.setRawMode(true);
    await left;
    if (stdin.isTTY) stdin.setRawMode(false);
    stdin.unref();
  }

  async #press(key: string | undefined): Promise<void> {
    if (key === 'o') await this.#order('lamp', 8_980);
    else if (key === 'p') await this.#order('piano', 899_000);
    else if (key === 'a') await this.#approve();
    else if (key === 'k') await this.#killSomebody();
    else if (key === 'b') console.table(await this.#judge.verdictsOn(this.#prefix));
    else console.log(help);
  }

  async #order(item: string, cents: number): Promise<void> {
    const id = `${this.#prefix}-${(this.#count += 1)}`;
    const status = await this.#customer.order({ id, item, cents, customer: `customer ${this.#count}` });
    console.log(`  ${id}: ${item}, answered with ${status}`);
  }

  async #approve(): Promise<void> {
    const orders = await this.#judge.verdictsOn(this.#prefix);
    const waiting = orders.filter(({ status }) => status === 'waiting for approval');
    for (const { id } of waiting) await this.#customer.approve(id, true);
    console.log(`  ${waiting.length} approved`);
  }

  async #killSomebody(): Promise<void> {
    const busy = await this.#judge.findChargeSince(2_500);
    const pid = busy?.pid ?? this.#fleet.workers[0];
    if (pid === undefined) console.log('  nobody is left');
    else await this.#fleet.kill(pid);
  }
}

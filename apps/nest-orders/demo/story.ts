// npm run demo:nest -- --script: orders come in all the time, workers are killed, a person approves, and the books are the judge.

import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Crowd } from './crowd.js';
import { Customer } from './customer.js';
import type { Fleet } from './fleet.js';
import { isFinal, isRight, type Judge, type Verdict } from './judge.js';

/** Resolves to whether the books are right in the end. */
export async function playStory(fleet: Fleet, judge: Judge): Promise<boolean> {
  const story = new Story(fleet, judge);
  try {
    await story.killInMidOrder();
    await story.killWhileWaitingForApproval();
    await story.killTheLastOne();
    await story.makeReport();
    return await story.verdict();
  } finally {
    await story.end();
  }
}

class Story {
  readonly #fleet: Fleet;
  readonly #judge: Judge;
  readonly #prefix = `story-${randomUUID().slice(0, 8)}`;
  readonly #customer: Customer;
  readonly #crowd: Crowd;
  #isRight = true;

  constructor(fleet: Fleet, judge: Judge) {
    this.#fleet = fleet;
    this.#judge = judge;
    this.#customer = new Customer(fleet.url);
    this.#crowd = new Crowd(this.#customer, this.#prefix);
  }

  async killInMidOrder(): Promise<void> {
    this.#heading('Orders come in. A worker dies after the bank has taken the money, and before it has said so');
    const { order, pid } = await until('a charge', () => this.#judge.findChargeSince(150)); // the bank answers after 400
    await this.#fleet.kill(pid);
    const [finished] = await Promise.all([this.#outcomeOf(order), this.#fleet.startWorker()]);

    this.#check(finished.status === 'shipped', `${short(order)} was finished without it`);
    this.#check(finished.packedBy !== pid, `worker ${finished.packedBy} has packed the parcel`);
    const [asked, charged] = [times(finished.askedBy.length), times(finished.charges)];
    this.#check(finished.charges === 1, `the bank was asked ${asked} with the same key, and has charged ${charged}`);
  }

  async killWhileWaitingForApproval(): Promise<void> {
    this.#heading('Two large orders wait for a person, and a worker dies meanwhile');
    const [piano, second] = [`${this.#prefix}-piano`, `${this.#prefix}-second`];
    await this.#customer.order({ id: piano, item: 'piano', cents: 899_000, customer: 'clara' });
    await this.#customer.order({ id: second, item: 'piano', cents: 899_000, customer: 'franz' });
    await this.#statusOf(piano, 'waiting for approval');
    await this.#statusOf(second, 'waiting for approval');
    await this.#fleet.kill(this.#fleet.workers[0] ?? -1);
    await this.#customer.approve(piano, true);
    await this.#customer.approve(second, false);
    const [yes, no] = [await this.#outcomeOf(piano), await this.#outcomeOf(second)];

    this.#check(yes.status === 'shipped' && yes.charges === 1, 'the approved one was charged once and shipped');
    this.#check(no.status === 'cancelled' && no.charges === 0, 'the declined one was not charged');
  }

  async killTheLastOne(): Promise<void> {
    this.#heading('Nobody is left to work');
    for (const pid of this.#fleet.workers) await this.#fleet.kill(pid);
    const before = this.#customer.accepted;
    await this.#fleet.startWorker();
    const meanwhile = this.#customer.accepted - before;

    this.#check(meanwhile > 0, `the API has taken ${meanwhile} orders until another one has come`);
  }

  async makeReport(): Promise<void> {
    this.#heading('The hourly report, ahead of its time');
    await this.#crowd.leave();
    const verdicts = await this.#allFinished();
    await this.#customer.makeReport();
    const shipped = verdicts.filter(({ status }) => status === 'shipped').length;
    const report = await until(`a report on ${shipped} orders`, async () => {
      const response = await fetch(`${this.#fleet.url}/reports`);
      const [newest] = (await response.json()) as readonly { readonly orders: number }[];
      return newest !== undefined && newest.orders >= shipped ? newest : undefined;
    });

    console.log(`  ✓ it counts ${report.orders} orders`);
  }

  async verdict(): Promise<boolean> {
    this.#heading('The books');
    const verdicts = await this.#judge.verdictsOn(this.#prefix);
    const shipped = verdicts.filter(({ status }) => status === 'shipped');
    const wrong = verdicts.filter((verdict) => !isRight(verdict));
    const repeated = verdicts.filter(({ askedBy }) => askedBy.length > 1).length;
    const lost = this.#customer.orders.filter((id) => !verdicts.some((verdict) => verdict.id === id));
    this.#check(
      shipped.length > 0 && wrong.length === 0,
      `${shipped.length} orders: each charged once and shipped once`,
    );
    for (const { id, status, charges, parcels } of wrong)
      console.log(`    ${short(id)} is ${status}, with ${charges} charges and ${parcels} parcels`);
    this.#check(lost.length === 0, 'no order that was accepted is missing');
    console.log(`    (${repeated} of them were charged by a worker that died before it knew)`);
    this.#check(this.#customer.failed === 0, `the API has accepted each of ${this.#customer.accepted} requests`);
    console.log(
      `\n  ${this.#isRight ? 'All workers were killed, and the books are right.' : 'This should not have happened.'}\n`,
    );
    return this.#isRight;
  }

  async end(): Promise<void> {
    await this.#crowd.leave();
  }

  async #outcomeOf(id: string): Promise<Verdict> {
    return until(`the end of ${short(id)}`, async () => {
      const verdict = await this.#judge.findVerdict(id);
      return verdict !== undefined && isFinal(verdict) ? verdict : undefined;
    });
  }

  async #statusOf(id: string, status: string): Promise<void> {
    await until(`${short(id)} to be ${status}`, async () => {
      const verdict = await this.#judge.findVerdict(id);
      return verdict?.status === status ? verdict : undefined;
    });
  }

  async #allFinished(): Promise<readonly Verdict[]> {
    return until('all orders', async () => {
      const verdicts = await this.#judge.verdictsOn(this.#prefix);
      return verdicts.every(isFinal) ? verdicts : undefined;
    });
  }

  #heading(text: string): void {
    console.log(`\n  ${text}`);
  }

  #check(isTrue: boolean, text: string): void {
    this.#isRight &&= isTrue;
    console.log(`  ${isTrue ? '✓' : '✗'} ${text}`);
  }
}

function times(count: number): string {
  return ['never', 'once', 'twice'][count] ?? `${count} times`;
}

function short(id: string): string {
  return `order ${id.split('-').slice(2).join('-')}`;
}

async function until<T>(what: string, probe: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`Waited for ${what} for a minute.`);
    await delay(50);
  }
}

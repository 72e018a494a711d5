// npm run demo -- --script: what the page lets a visitor do, done by a program, with the ledger as the judge.

import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Entry, Side } from './ledger.js';

interface Books {
  readonly pid: number;
  readonly entries: readonly { readonly orderId: string; readonly side: Side; readonly entry: Entry }[];
  readonly mails: readonly { readonly subject: string; readonly link: string | null }[];
}

/** Resolves to whether the ledger is right in the end. */
export async function playStory(url: string): Promise<boolean> {
  const story = new Story(url);
  await story.killDuringCheckout();
  await story.killWhileWaitingForApproval();
  await story.killDuringRefund();
  await story.killDuringReminder();
  return story.verdict();
}

class Story {
  readonly #url: string;
  readonly #tag = randomUUID().slice(0, 8);
  #isRight = true;

  constructor(url: string) {
    this.#url = url;
  }

  async killDuringCheckout(): Promise<void> {
    this.#heading('A checkout beside a plain handler, killed after the payment');
    const order = this.#order('headphones', 8_980);
    const plain = this.#sendUntilAnswered('/plain/orders', order);
    await this.#sendUntilAnswered('/orders', order);
    await this.#until(
      'both charges',
      ({ entries }) => charges(entries, order.id, 'durable') + charges(entries, order.id, 'plain') >= 2,
    );
    await this.#crash();
    const outcome = await this.#outcomeOf(order.id);
    await plain;

    const { entries } = await this.#books();
    this.#check(outcome.status === 'succeeded', 'the order has arrived');
    this.#check(charges(entries, order.id, 'durable') === 1, 'the workflow has charged once');
    this.#check(count(entries, order.id, 'ship') === 1, 'and shipped once');
    this.#check(
      charges(entries, order.id, 'plain') === 2,
      'the plain handler has charged twice: its client had to send the order again',
    );
  }

  async killWhileWaitingForApproval(): Promise<void> {
    this.#heading('An order that waits for a person, killed while it does');
    const order = this.#order('a grand piano', 899_000);
    await this.#sendUntilAnswered('/orders', order);
    const { mails } = await this.#until('the mail with the link', ({ mails }) =>
      mails.some((mail) => mail.link?.includes(order.id)),
    );
    await this.#crash();
    const link = new URL(mails.find((mail) => mail.link?.includes(order.id))?.link ?? '');
    const topic = `/perdure/runs/${order.id}/topics/approval?token=${link.searchParams.get('token')}`;
    const answer = await this.#sendUntilAnswered(topic, { approved: true });
    const outcome = await this.#outcomeOf(order.id);

    this.#check(answer.ok, `the link in the mail was accepted (${answer.status})`);
    this.#check(outcome.status === 'succeeded', 'the order has arrived');
    this.#check(charges((await this.#books()).entries, order.id, 'durable') === 1, 'and was charged once');
  }

  async killDuringRefund(): Promise<void> {
    this.#heading('A durable handler, killed before it has responded');
    const order = this.#order('headphones', 8_980);
    const key = `"refund-${order.id}"`;
    const answer = this.#sendUntilAnswered('/refunds', order, key);
    await this.#until('the refund', ({ entries }) => count(entries, order.id, 'refund') >= 1);
    await this.#crash();
    const first = await answer;
    const again = await this.#sendUntilAnswered('/refunds', order, key);

    const [one, two] = [await first.text(), await again.text()];
    this.#check(first.status === 201, `the client, sending the same request again, got ${first.status} ${one}`);
    this.#check(one === two, 'and gets the same once more');
    this.#check(count((await this.#books()).entries, order.id, 'refund') === 1, 'the money went back once');
  }

  async killDuringReminder(): Promise<void> {
    this.#heading('A reminder, killed while it sleeps');
    const text = `call Ada (${this.#tag})`;
    await this.#sendUntilAnswered('/reminders', { email: 'ada@example.com', text, after: '3 seconds' });
    await this.#crash();
    const { mails } = await this.#until('the reminder', (books) =>
      books.mails.some(({ subject }) => subject.includes(text)),
    );

    this.#check(mails.filter(({ subject }) => subject.includes(text)).length === 1, 'it was sent once');
  }

  verdict(): boolean {
    console.log(
      `\n  ${this.#isRight ? 'Killed four times, and the ledger is right.' : 'This should not have happened.'}\n`,
    );
    return this.#isRight;
  }

  #order(item: string, cents: number): { id: string; item: string; cents: number; email: string } {
    return { id: `${item.replaceAll(' ', '-')}-${randomUUID().slice(0, 8)}`, item, cents, email: 'ada@example.com' };
  }

  /** As an impatient client does: a request that gets no answer is sent again, with the same key. */
  async #sendUntilAnswered(path: string, body: object, key = `"${randomUUID()}"`): Promise<Response> {
    const headers = { 'content-type': 'application/json', 'idempotency-key': key };
    return this.#answer(() => fetch(this.#url + path, { method: 'POST', headers, body: JSON.stringify(body) }));
  }

  async #answer(send: () => Promise<Response>): Promise<Response> {
    const deadline = Date.now() + 60_000;
    for (;;) {
      const response = await send().catch(() => undefined);
      if (response !== undefined && response.status < 500) return response;
      if (Date.now() > deadline) throw new Error('The shop has not answered for a minute.');
      await delay(200);
    }
  }

  async #outcomeOf(id: string): Promise<{ readonly status: string }> {
    const deadline = Date.now() + 60_000;
    for (;;) {
      const response = await this.#answer(() => fetch(`${this.#url}/perdure/runs/${id}`));
      const run = (await response.json()) as { readonly status: string; readonly isFinal: boolean };
      if (run.isFinal || Date.now() > deadline) return run;
      await delay(200);
    }
  }

  async #books(): Promise<Books> {
    return (await (await this.#answer(() => fetch(`${this.#url}/books`))).json()) as Books;
  }

  async #until(what: string, isThere: (books: Books) => boolean): Promise<Books> {
    const deadline = Date.now() + 60_000;
    for (;;) {
      const books = await this.#books();
      if (isThere(books)) return books;
      if (Date.now() > deadline) throw new Error(`Waited for ${what} for a minute.`);
      await delay(100);
    }
  }

  async #crash(): Promise<void> {
    await fetch(`${this.#url}/crash`, { method: 'POST' }).catch(() => undefined);
  }

  #heading(text: string): void {
    console.log(`\n  ${text}`);
  }

  #check(isRight: boolean, text: string): void {
    this.#isRight &&= isRight;
    console.log(`  ${isRight ? '✓' : '✗'} ${text}`);
  }
}

function charges(entries: Books['entries'], orderId: string, side: Side): number {
  return entries.filter((each) => each.orderId === orderId && each.entry === 'charge' && each.side === side).length;
}

function count(entries: Books['entries'], orderId: string, entry: Entry): number {
  return entries.filter((each) => each.orderId === orderId && each.entry === entry && each.side === 'durable').length;
}

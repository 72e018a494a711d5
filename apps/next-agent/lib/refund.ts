// An agent that handles a refund: it reads the complaint, looks up the order, proposes, and waits for a human. Every step is recorded, so
// that a server that dies in the middle costs nothing but the token that was being written.

import {
  currentRun,
  event,
  parseDuration,
  receive,
  runStep,
  runTransaction,
  setEvent,
  stream,
  topic,
  workflow,
  writeStream,
} from 'perdure';
import { askModel } from './model';
import { findOrder, shop, type Order } from './shop';

export interface RefundRequest {
  readonly orderId: string;
  readonly complaint: string;
  /** How long a human has to decide. */
  readonly patience: string;
}

/** What the agent is about to do, and until when a human may decide. */
export interface Proposal {
  readonly cents: number;
  readonly decideBy: string;
}

export type Outcome = 'refunded' | 'declined' | 'expired';

/** The order, as soon as the agent has found it. */
export const found = event<Order>('order');
export const proposed = event<Proposal>('proposal');
export const decided = event<{ readonly approved: boolean } | { readonly expired: true }>('decision');
/** A piece of what the agent writes. A turn that a crash has cut off begins again. */
export const words = stream<{ readonly turn: 'proposal' | 'reply'; readonly text: string; readonly isFirst: boolean }>(
  'words',
);
export const approval = topic<{ readonly approved: boolean }>('approval');

export const refund = workflow('refund', async ({ orderId, complaint, patience }: RefundRequest) => {
  const order = await runStep('look up order', () => requireOrder(orderId), { retry: { maxAttempts: 3 } });
  await setEvent(found, order);
  const cents = order.daysAgo <= 30 ? order.cents : Math.round(order.cents / 2);

  await speak('proposal', proposalPrompt(order, complaint, cents), proposalScript(order, cents));
  const decideBy = await runStep('set a deadline', () => deadlineIn(patience));
  await setEvent(proposed, { cents, decideBy });
  const answer = await receive(approval, { timeout: patience });
  await setEvent(decided, answer ?? { expired: true });

  const outcome: Outcome = outcomeOf(answer);
  if (outcome === 'refunded') {
    const { id } = currentRun();
    await runTransaction('pay back', shop, async (client) => {
      await client.query('insert into refunds (order_id, cents, run_id) values ($1, $2, $3)', [order.id, cents, id]);
    });
  }
  const reply = await speak('reply', replyPrompt(order, outcome, cents), replyScript(order, outcome, cents));
  return { outcome, cents: outcome === 'refunded' ? cents : 0, reply };
});

async function speak(turn: 'proposal' | 'reply', prompt: string, script: string): Promise<string> {
  return runStep(
    `write ${turn}`,
    () => {
      let isFirst = true;
      return askModel(prompt, script, async (text) => {
        await writeStream(words, { turn, text, isFirst });
        isFirst = false;
      });
    },
    { retry: { maxAttempts: 4, delay: '1s' } },
  );
}

async function requireOrder(id: string): Promise<Order> {
  const order = await findOrder(id);
  if (order === undefined) throw new Error(`there is no order ${id}`);
  return order;
}

function deadlineIn(patience: string): string {
  return new Date(Date.now() + parseDuration(patience, 'patience')).toISOString();
}

function outcomeOf(answer: { readonly approved: boolean } | undefined): Outcome {
  if (answer === undefined) return 'expired';
  return answer.approved ? 'refunded' : 'declined';
}

function euros(cents: number): string {
  return `€${(cents / 100).toFixed(2)}`;
}

function proposalPrompt({ customer, item, daysAgo }: Order, complaint: string, cents: number): string {
  return `You help a support team. ${customer} bought "${item}" ${daysAgo} days ago and writes: "${complaint}". Policy allows ${euros(cents)}. In three sentences, tell a colleague what you propose and why.`;
}

function proposalScript({ customer, item, cents: paid, daysAgo }: Order, cents: number): string {
  const policy =
    cents === paid
      ? `It was delivered ${daysAgo} days ago, inside the thirty days in which we pay back in full.`
      : `It was delivered ${daysAgo} days ago, past the thirty days for a full refund, so policy leaves half.`;
  return `${customer} paid ${euros(paid)} for the ${item.toLowerCase()} and is not happy with it. ${policy} I propose to pay back ${euros(cents)} and to keep the tone warm: this is a customer worth keeping. I need someone to approve before I touch the money.`;
}

function replyPrompt({ customer }: Order, outcome: Outcome, cents: number): string {
  return `Write to ${customer}, in at most three friendly sentences, that the refund request was ${outcome}. Amount: ${euros(cents)}.`;
}

function replyScript({ customer, item }: Order, outcome: Outcome, cents: number): string {
  const name = customer.split(' ', 1)[0] ?? customer;
  const ends: Record<Outcome, string> = {
    refunded: `we have paid ${euros(cents)} back to your card; it shows up within three working days. Thank you for telling us about the ${item.toLowerCase()}.`,
    declined: `we have looked at your case with care and cannot refund the ${item.toLowerCase()} this time. If anything about it has changed, please write again.`,
    expired: `your request has not been forgotten: a colleague takes it over and writes to you today.`,
  };
  return `Dear ${name}, ${ends[outcome]}`;
}

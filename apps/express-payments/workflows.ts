// What the shop does for an order and for a reminder, as workflows: ordinary functions that survive the process.

import { signToken } from '@perdure/express';
import { now, receive, runTransaction, sleep, stream, topic, workflow, writeStream } from 'perdure';
import { z } from 'zod';
import { book, ledger, sendMail, type Entry } from './ledger.js';
import { publicUrl, secret } from './settings.js';

export const orderSchema = z.object({
  id: z.string().min(1).max(64),
  item: z.string().min(1).max(80),
  cents: z.number().int().positive(),
  email: z.email(),
});
export type Order = z.infer<typeof orderSchema>;

export const reminderSchema = z.object({
  email: z.email(),
  text: z.string().min(1).max(200),
  after: z.string().regex(/^\d+ (seconds?|minutes?|hours?|days?)$/),
});

/** What the status page shows of a run, live. */
export const progress = stream<{ readonly step: string; readonly text: string; readonly pid: number }>('progress');

/** The answer of the person who has to agree to large orders. */
export const approval = topic('approval', z.object({ approved: z.boolean() }));

const needsApprovalFromCents = 50_000;
const pace = '1200ms'; // the bank and the warehouse are slow, so that there is time to press the button

export const checkout = workflow(
  'checkout',
  async (order: Order) => {
    await tell('accept', `${order.item} for ${order.email}`);
    if (order.cents >= needsApprovalFromCents && !(await isApproved(order))) return { status: 'declined' } as const;

    await sleep(pace);
    const payment = await perform('charge', order);
    await tell('charge', `payment ${payment} is in the ledger`);

    await sleep(pace);
    await perform('reserve', order);
    await tell('reserve', `${order.item} is set aside`);

    await sleep(pace);
    const shipment = await perform('ship', order);
    await tell('ship', `shipment ${shipment} is on its way`);
    return { status: 'shipped', payment, shipment } as const;
  },
  { input: orderSchema },
);

export const scheduleReminder = workflow(
  'schedule-reminder',
  async ({ email, text, after }: z.infer<typeof reminderSchema>) => {
    await sleep(after); // seconds or months: a sleeping run is a row, and survives every deployment
    await runTransaction('send', ledger, (client) => sendMail(client, { to: email, subject: `Reminder: ${text}` }));
  },
  { input: reminderSchema },
);

async function perform(entry: Entry, order: Order): Promise<number> {
  return runTransaction(entry, ledger, (client) => book(client, order, { entry, side: 'durable' }));
}

async function isApproved(order: Order): Promise<boolean> {
  const expiresAt = new Date(now().getTime() + 2 * 24 * 3_600_000);
  const token = signToken({ secret, run: order.id, action: 'send', topic: approval.name, expiresAt });
  const link = `${publicUrl}/approve.html?${new URLSearchParams({ run: order.id, item: order.item, token }).toString()}`;
  await runTransaction('ask', ledger, (client) =>
    sendMail(client, { to: 'boss@shop.example', subject: `Approve ${order.item}?`, link }),
  );
  await tell('ask', 'over 500 €: boss@shop.example has mail');
  const answer = await receive(approval, { timeout: '2 days' });
  const isYes = answer?.approved === true;
  await tell('answer', isYes ? 'approved' : 'declined, or nobody has answered');
  return isYes;
}

async function tell(step: string, text: string): Promise<void> {
  await writeStream(progress, { step, text, pid: process.pid });
}

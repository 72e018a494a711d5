// Two handlers that do the same kind of work: one as Express has it, one durable.

import { setTimeout as delay } from 'node:timers/promises';
import { durableHandler } from '@perdure/express';
import type { RequestHandler } from 'express';
import { runTransaction, sleep } from 'perdure';
import { z } from 'zod';
import { book, ledger, pool, sendMail } from './ledger.js';
import { orderSchema } from './workflows.js';

/** The checkout without any help. Whoever loses their connection half way does not know what to do, and sends it again. */
export const plainOrder: RequestHandler = async (req, res) => {
  const order = orderSchema.parse(req.body);
  await delay(1_200);
  const payment = await book(pool, order, { entry: 'charge', side: 'plain' });
  await delay(1_200);
  await book(pool, order, { entry: 'reserve', side: 'plain' });
  await delay(1_200);
  const shipment = await book(pool, order, { entry: 'ship', side: 'plain' });
  res.status(201).json({ status: 'shipped', payment, shipment, pid: process.pid });
};

const refundSchema = orderSchema.pick({ id: true, cents: true, email: true });

/** A durable handler: the request is the run. The same Idempotency-Key gets the same response, whatever happens in between. */
export const refund = durableHandler('refund', async (req, res) => {
  const parsed = refundSchema.safeParse(req.body);
  if (!parsed.success) {
    res.status(422).json({ error: z.prettifyError(parsed.error) });
    return;
  }
  const order = parsed.data;
  const number = await runTransaction('refund', ledger, (client) =>
    book(client, order, { entry: 'refund', side: 'durable' }),
  );
  await sleep('3s'); // the bank takes its time
  await runTransaction('mail', ledger, (client) => sendMail(client, { to: order.email, subject: `Refund ${number}` }));
  res.status(201).location(`/refunds/${number}`).json({ refund: number });
});

// An order, from the cart to the customer's door. Each step is recorded in Postgres when it is done, and is then never
// done again, whatever happens to this process.

import { setTimeout as delay } from 'node:timers/promises';
import { currentStep, log, step, workflow } from 'perdure';
import {
  countStock,
  insertNotification,
  insertPayment,
  insertShipment,
  takeFromStock,
  type Order,
} from './database.js';

export const checkout = workflow('checkout', async (order: Order) => {
  await validate(order);
  const paymentId = await pay(order);
  await reserve(order);
  const shipmentId = await ship(order);
  await notify(order);
  return { paymentId, shipmentId };
});

const validate = step('validate', async ({ id, sku, quantity }: Order) => {
  await answerAfter(80);
  const available = await countStock(sku);
  if (available < quantity) throw new Error(`order ${id} wants ${quantity} × ${sku}, and there are ${available}`);
  log.info({ available }, `order ${id}: ${quantity} × ${sku}, in stock`);
});

const pay = step(
  'pay',
  async (order: Order) => {
    await answerAfter(200);
    const paymentId = await insertPayment(order);
    log.info({ paymentId }, `payment ${paymentId}: ${euros(order.totalCents)} from ${order.customer}`);
    return paymentId;
  },
  { retry: { maxAttempts: 5, delay: '200ms' } },
);

const reserve = step('reserve', async (order: Order) => {
  log.info({}, `asking the warehouse for ${order.quantity} × ${order.sku} ...`);
  await answerAfter(600);
  await takeFromStock(order);
  log.info({}, `${order.quantity} × ${order.sku} put aside`);
});

const ship = step('ship', async (order: Order) => {
  await answerAfter(150);
  const shipmentId = await insertShipment(order);
  log.info({ shipmentId }, `shipment ${shipmentId} is on its way`);
  return shipmentId;
});

const notify = step('notify', async (order: Order) => {
  await answerAfter(80);
  await insertNotification(order);
  log.info({}, `${order.customer} has been told`);
});

/** Stands for a call over the network. It ends early when the run has been taken away from this process. */
async function answerAfter(ms: number): Promise<void> {
  await delay(ms, undefined, { signal: currentStep().signal });
}

function euros(cents: number): string {
  return `${(cents / 100).toFixed(2)} EUR`;
}

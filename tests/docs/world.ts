// What the snippets of the docs take for granted: a shop, an order, and an engine that has been launched. Loaded before
// the snippets of a page; a snippet that declares one of these names itself uses its own.

import { createEngine, runStep, silentLogger, workflow, type Engine, type Workflow } from 'perdure';

interface ShopOrder {
  readonly id: number;
  readonly customer: string;
  readonly email: string;
  readonly sku: string;
  readonly total: number;
}

interface ShopPayment {
  readonly id: string;
}

const shop = {
  order: { id: 7, customer: 'Ada', email: 'ada@example.com', sku: 'A-100', total: 89.8 },
  payments: {
    validate: async (order: ShopOrder) => order.total > 0,
    charge: async (id: number, _total: number, _options?: { key?: string; signal?: AbortSignal }) =>
      ({ id: `payment-${id}` }) as ShopPayment,
    refund: async (_payment: ShopPayment) => undefined,
  },
  stock: {
    reserve: async (order: ShopOrder) => `reserved ${order.sku}`,
    release: async (_order: ShopOrder) => undefined,
  },
  shipping: { send: async (order: ShopOrder) => ({ trackingId: `T-${order.id}` }) },
  mail: { send: async (_to: string, _text: string) => undefined },
};

const checkout = workflow('checkout', async (order: ShopOrder) => {
  await runStep('charge', () => shop.payments.charge(order.id, order.total));
  const { trackingId } = await runStep('ship', () => shop.shipping.send(order));
  return { trackingId };
});

declare global {
  type Order = ShopOrder;
  type Payment = ShopPayment;
  const order: ShopOrder;
  const payments: typeof shop.payments;
  const stock: typeof shop.stock;
  const shipping: typeof shop.shipping;
  const mail: typeof shop.mail;
  const engine: Engine;
  const checkout: Workflow<ShopOrder, { readonly trackingId: string }>;
}

/** Puts the names in place. The engine runs `checkout`, and what snippets register. */
export async function openWorld(schema: string): Promise<Engine> {
  const engine = createEngine({
    database: process.env['DATABASE_URL'],
    schema,
    workflows: [checkout],
    logger: silentLogger,
  });
  await engine.launch();
  Object.assign(globalThis, shop, { engine, checkout });
  return engine;
}

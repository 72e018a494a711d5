// Orders for tests.

import type { Order } from '../../src/orders/order.js';

/** An order that is none too large. */
export function someOrder(order: Partial<Order> & Pick<Order, 'id'>): Order {
  return { customer: 'ada', email: 'ada@example.com', item: 'lamp', quantity: 1, cents: 8_980, ...order };
}

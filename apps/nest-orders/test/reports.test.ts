// The hourly report, an hour later.

import { expect, test } from '@jest/globals';
import { OrderBook } from '../src/orders/order-book.js';
import { someOrder } from './support/some-order.js';
import { startWorker } from './support/worker.js';

test('what has been shipped within an hour is in the report at the end of the hour', async () => {
  const worker = await startWorker({ startsAt: new Date('2026-03-01T09:20:00Z') });
  const order = someOrder({ id: 'lamp-1' });
  await worker.database.transaction((client) => worker.app.get(OrderBook, { strict: false }).add(client, order));
  await (await worker.place(order)).result();

  await worker.clock.advance('2 hours');

  const reports = await worker.database.query('select until, orders, cents::int from shop.reports order by until');
  expect(reports).toEqual([
    { until: new Date('2026-03-01T10:00:00Z'), orders: 1, cents: 8_980 },
    { until: new Date('2026-03-01T11:00:00Z'), orders: 0, cents: 0 },
  ]);
  await worker.close();
});

// One process of the shop. It works on whatever order is due; with --new-order it takes one in as well.

import { createEngine, log } from 'perdure';
import { createTables, database, placeOrder } from './database.js';
import { checkout } from './workflows.js';

const engine = createEngine({
  database: process.env['DATABASE_URL'],
  workflows: [checkout],
  lease: '1500ms', // 6s by default; short here, so that nobody waits long for the takeover
});

async function stop(): Promise<void> {
  await engine.close();
  await database.end();
}
process.once('SIGTERM', () => void stop());
process.once('SIGINT', () => void stop());
process.once('disconnect', () => void stop()); // whoever started this process is gone
process.channel?.unref();

await createTables();
await engine.launch();

if (process.argv.includes('--new-order')) {
  const order = await placeOrder({ customer: 'ada@example.com', sku: 'A-100', quantity: 2, totalCents: 8980 });
  const id = `order-${order.id}`;
  log.info({ runId: id }, `order ${order.id} has come in: ${order.quantity} × ${order.sku} for ${order.customer}`);
  await engine.startWorkflow(checkout, order, { id });
}

// One process of the shop. It may be killed at any time: the next one goes on.

import { fileURLToPath } from 'node:url';
import { expose, gracefulShutdown, perdure, startRoute } from '@perdure/express';
import express from 'express';
import { createEngine } from 'perdure';
import { plainOrder, refund } from './handlers.js';
import { createTables, pool, readBooks } from './ledger.js';
import { port, restarts, secret } from './settings.js';
import { approval, checkout, progress, scheduleReminder } from './workflows.js';

const engine = createEngine({
  database: process.env['DATABASE_URL'],
  workflows: [checkout, scheduleReminder],
  lease: '1500ms', // 6s by default; short here, so that nobody waits long for the takeover
});
const durable = perdure(engine, {
  handlers: [refund],
  expose: [expose({ workflow: checkout, streams: [progress], topics: [approval] }), scheduleReminder],
  tokens: { secret },
});

const app = express();
app.use(express.static(fileURLToPath(new URL('public', import.meta.url))));
app.use(durable, express.json());

app.post('/orders', startRoute(checkout, { id: (req) => String(req.body?.id) }));
app.post('/plain/orders', plainOrder);
app.post('/refunds', refund);
app.post('/reminders', async (req) => {
  const run = await engine.startWorkflow(scheduleReminder, req.body);
  req.perdure.accepted(run);
});

app.get('/books', async (_req, res) => {
  res.json({ pid: process.pid, restarts, ...(await readBooks()) });
});
app.post('/crash', () => {
  process.kill(process.pid, 'SIGKILL'); // no handler runs, nothing is written: as when the power fails
});

await createTables();
await engine.launch();
const server = app.listen(port, '127.0.0.1', () => process.send?.('listening'));
gracefulShutdown(server, durable, { close: () => pool.end() });
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM')); // the supervisor is gone
process.channel?.unref();

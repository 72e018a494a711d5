// A shop whose process dies at the point that DIE_AT names. Prints {"type":"listening"} with its port.

import express5 from 'express';
import express4 from 'express4';
import { createEngine, pgSource, runTransaction, silentLogger } from 'perdure';
import pg from 'pg';
import { durableHandler, gracefulShutdown, perdure } from '../../src/index.js';

const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'] });
const ledger = pgSource(pool);

function point(name: string): void {
  if (process.env['DIE_AT'] === name) process.kill(process.pid, 'SIGKILL');
}

function effect(step: string, order: string): Promise<string> {
  return runTransaction(step, ledger, async (client) => {
    await client.query('insert into effects (step, order_id, pid) values ($1, $2, $3)', [step, order, process.pid]);
    return `${step} of ${order}`;
  });
}

const createOrder = durableHandler('create-order', async (req, res) => {
  const order = String(req.body.order);
  point('before the first step');
  const charged = await effect('charge', order);
  point('between steps');
  const shipped = await effect('ship', order);
  point('after the last step');
  res.status(201).set('x-order', order).cookie('order', order).json({ charged, shipped });
  point('before the response is recorded');
});

const engine = createEngine({ database: process.env['DATABASE_URL'], logger: silentLogger, lease: '1s' });
const app = process.env['EXPRESS'] === '4' ? express4() : express5();
const durable = perdure(engine, { handlers: [createOrder] });
app.use(express5.json(), durable);
app.use((_req, res, next) => {
  const end = res.end.bind(res);
  res.end = (...args: unknown[]) => {
    point('before the response is sent');
    return Reflect.apply(end, res, args);
  };
  next();
});
app.post('/orders', createOrder);
app.get('/slow', (_req, res) => {
  console.log(JSON.stringify({ type: 'serving' }));
  process.once('SIGTERM', () => setTimeout(() => res.json('answered'), 200));
});

app.get('/hanging', () => console.log(JSON.stringify({ type: 'serving' })));

await engine.launch();
const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(JSON.stringify({ type: 'listening', port: typeof address === 'object' ? address?.port : undefined }));
});
gracefulShutdown(server, durable, { close: () => pool.end() });

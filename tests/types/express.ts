// What the compiler accepts and refuses in an Express application. Checked by `npm run types`, never
// executed: every line below @ts-expect-error must be an error.

import { durableHandler, gracefulShutdown, perdure, problemDetails, startRoute } from '@perdure/express';
import express, { type Request } from 'express';
import { contract, workflow, type Engine, type RunHandle } from 'perdure';
import { expectType } from './expect-type.js';

declare const engine: Engine;
const checkout = workflow('checkout', async (order: { sku: string }) => ({ trackingId: order.sku }));
const app = express();

// A durable handler is a handler, with the parameters that it names and the properties that it persists.
export function handlers(): void {
  const plain = durableHandler('plain', (req, res) => res.json(req.params));
  const typed = durableHandler('typed', (req: Request<{ id: string }>, res) => res.json({ id: req.params.id }));
  const persisting = durableHandler('persisting', (req, res) => res.json({ size: req.upload.bytes.toFixed() }), {
    persist: (req: Request) => ({ upload: { bytes: Number(req.get('content-length')) } }),
  });
  app.post('/orders/:id', plain, typed, persisting);
  app.use(perdure(engine, { handlers: [plain, typed, persisting], expose: [checkout] }), problemDetails());

  // @ts-expect-error: what is not persisted is not there
  durableHandler('missing', (req, res) => res.json(req.upload));
  // @ts-expect-error: an ordinary handler is no durable one
  perdure(engine, { handlers: [(_req: unknown, res: { end(): void }) => res.end()] });
  // @ts-expect-error: paths begin with a slash
  perdure(engine, { path: 'perdure' });
}

// The input that a route makes is that of its workflow.
export function starts(): void {
  app.post('/orders', startRoute(checkout), startRoute(checkout, { input: (req) => ({ sku: req.path }) }));
  startRoute(contract<number, string>('count'), { input: async () => 7, id: (req) => req.path });
  // @ts-expect-error: another input
  startRoute(checkout, { input: () => ({ sku: 7 }) });
  // @ts-expect-error: the id is made per request
  startRoute(checkout, { options: { id: 'one' } });
}

// Requests have the engine, with its types.
export function requests(): void {
  app.get('/', async (req, res) => {
    const run = await req.perdure.start(checkout, { sku: 'A-1' });
    expectType<RunHandle<{ trackingId: string }>>()(run);
    // @ts-expect-error: another input
    await req.perdure.start(checkout, { sku: 7 });
    req.perdure.accepted(run);
    res.end();
  });
}

export function shutdowns(): void {
  gracefulShutdown(app.listen(), perdure(engine), { timeout: '20s', close: () => engine.close() });
  // @ts-expect-error: an ordinary middleware has nothing to close
  gracefulShutdown(app.listen(), express.json());
}

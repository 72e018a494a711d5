// What clients of a durable handler get, on both Express versions.

import { describe, expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import type { Express, NextFunction, Request, Response } from 'express';
import { contract, runStep, sleep, workflow, type Engine } from 'perdure';
import request from 'supertest';
import { durableHandler, perdure, type DurableHandler } from '../src/index.js';
import { useApplications, versions } from './support/application.js';

const db = useApplications();

// What an earlier release may have recorded: a change of this form must keep reading it.
const storedRequest = {
  method: 'POST',
  url: '/left',
  originalUrl: '/left',
  baseUrl: '',
  protocol: 'http',
  host: 'localhost',
  headers: {},
  params: {},
  query: {},
  body: {},
  properties: {},
};

describe.each(versions)('$version: a durable handler', ({ version, express }) => {
  const key = (name: string): string => `"${version}, ${name}"`;

  async function serve(handler: DurableHandler, path = '/orders/:shop'): Promise<Express> {
    const app = express();
    app.use(
      express.json(),
      express.urlencoded({ extended: true }),
      express.raw(),
      perdure(await db.launchEngine(), { handlers: [handler] }),
    );
    app.post(path, handler);
    app.get(path, handler);
    app.use((error: Error, _req: Request, res: Response, _next: NextFunction) => {
      res.status(500).json({ fromErrorMiddleware: error.message, code: 'code' in error ? error.code : undefined });
    });
    return app;
  }

  test('responds with status, headers, cookies and body', async () => {
    const app = await serve(
      durableHandler('respond', (req, res) => {
        res
          .status(201)
          .set('x-shop', String(req.params['shop']))
          .cookie('a', '1')
          .cookie('b', '2')
          .json({ got: req.body, q: req.query['q'] });
      }),
    );

    const response = await request(app).post('/orders/corner?q=7').send({ sku: 'A-1' });

    expect(response.status).toBe(201);
    expect(response.headers).toMatchObject({ 'x-shop': 'corner', 'content-type': 'application/json; charset=utf-8' });
    expect(response.headers['set-cookie']).toEqual(['a=1; Path=/', 'b=2; Path=/']);
    expect(response.body).toEqual({ got: { sku: 'A-1' }, q: '7' });
  });

  test('gives a repeated request the same response, and does nothing twice', async () => {
    let charges = 0;
    const app = await serve(
      durableHandler('repeat', async (_req, res) => {
        const charge = await runStep('charge', () => (charges += 1));
        res.status(201).cookie('seen', 'yes').json({ charge });
      }),
    );
    const send = () => request(app).post('/orders/corner').set('Idempotency-Key', key('key-1')).send({ sku: 'A-1' });

    const first = await send();
    const second = await send();

    expect(first.headers['idempotency-replayed']).toBeUndefined();
    expect(second.headers['idempotency-replayed']).toBe('true');
    expect([second.status, second.text, second.headers['set-cookie']]).toEqual([
      first.status,
      first.text,
      first.headers['set-cookie'],
    ]);
    expect(charges).toBe(1);
  });

  test('runs anew for a request without a key', async () => {
    let charges = 0;
    const app = await serve(
      durableHandler('keyless', async (_req, res) => {
        res.json(await runStep('charge', () => (charges += 1)));
      }),
    );

    await request(app).post('/orders/corner').send({});
    await request(app).post('/orders/corner').send({});

    expect(charges).toBe(2);
  });

  test('shares one run among requests with the same key at the same time', async () => {
    let charges = 0;
    const app = await serve(
      durableHandler('together', async (_req, res) => {
        res.json({ charge: await runStep('charge', () => (charges += 1)) });
      }),
    );
    const url = await db.listen(app);
    const send = () => fetch(`${url}/orders/a`, { method: 'POST', headers: { 'idempotency-key': key('together') } });

    const responses = await Promise.all(Array.from({ length: 10 }, send));

    expect(await Promise.all(responses.map((response) => response.json()))).toEqual(Array(10).fill({ charge: 1 }));
    expect(charges).toBe(1);
  });

  test('refuses a key that another request has used, with 422', async () => {
    const app = await serve(durableHandler('conflict', (_req, res) => res.sendStatus(204)));
    const send = (body: object) => request(app).post('/orders/corner').set('Idempotency-Key', key('key-2')).send(body);
    await send({ sku: 'A-1' });

    const response = await send({ sku: 'B-2' });

    expect(response.status).toBe(422);
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.body).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
  });

  test('refuses a request without a key where one is required', async () => {
    const app = await serve(durableHandler('required', (_req, res) => res.end(), { requireKey: true }));

    const response = await request(app).post('/orders/corner').send({});

    expect(response.status).toBe(400);
    expect(response.body).toMatchObject({ code: 'IDEMPOTENCY_KEY_MISSING' });
  });

  test('keeps binary bodies byte for byte', async () => {
    const bytes = Buffer.from([0, 255, 254, 1]);
    const app = await serve(durableHandler('binary', (_req, res) => res.type('application/octet-stream').send(bytes)));
    const send = () => request(app).get('/orders/corner').set('Idempotency-Key', key('key-3')).buffer(true);

    const bodies = [(await send()).body, (await send()).body];

    expect(bodies).toEqual([bytes, bytes]);
  });

  test('sends redirects, files and streams that are piped to the response', async () => {
    const [here = ''] = import.meta.url.split('/').slice(-1);
    const redirect = await serve(durableHandler('redirect', (_req, res) => res.redirect(303, '/elsewhere')));
    const file = await serve(
      durableHandler('file', (_req, res) => res.sendFile(here, { root: new URL('.', import.meta.url).pathname })),
    );

    const redirected = await request(redirect).post('/orders/corner').set('Idempotency-Key', key('key-4'));
    const sent = await request(file).get('/orders/corner');

    expect([redirected.status, redirected.headers['location']]).toEqual([303, '/elsewhere']);
    expect(sent.status).toBe(200);
    expect(String(sent.body) + String(sent.text)).toContain('byte for byte');
  });

  test('passes what it throws to the error middleware, the first time and every time after', async () => {
    let attempts = 0;
    const app = await serve(
      durableHandler('throw', async () => {
        await runStep('charge', () => (attempts += 1));
        throw new Error('no stock');
      }),
    );
    const send = () => request(app).post('/orders/corner').set('Idempotency-Key', key('key-5')).send({});

    const responses = [await send(), await send()];

    expect(responses.map(({ body }) => body)).toEqual(Array(2).fill({ fromErrorMiddleware: 'no stock' }));
    expect(attempts).toBe(1);
  });

  test('passes on what it gives to next as an error', async () => {
    const app = await serve(durableHandler('next-error', (_req, _res, next) => next(new Error('not today'))));

    const response = await request(app).post('/orders/corner').send({});

    expect(response.body).toEqual({ fromErrorMiddleware: 'not today' });
  });

  test('sees neither credentials nor cookies, and what the application persists', async () => {
    const handler = durableHandler(
      'persist',
      (req, res) => res.json({ headers: Object.keys(req.headers), user: req.user, tenant: req.get('x-tenant') }),
      { persist: () => ({ user: { id: 7 } }), headers: ['X-Tenant'] },
    );
    const app = await serve(handler);

    const { body } = await request(app)
      .post('/orders/corner')
      .set({ authorization: 'Bearer secret', cookie: 'session=1', 'x-tenant': 't1' })
      .send({});

    expect(body).toMatchObject({ user: { id: 7 }, tenant: 't1' });
    expect(body.headers).not.toContain('authorization');
    expect(body.headers).not.toContain('cookie');
    expect(JSON.stringify(await db.query('select input from perdure.runs'))).not.toMatch(/secret|session=1/);
  });

  test('keeps what earlier middleware has set on the live response', async () => {
    const handler = durableHandler(`headers in ${version}`, (_req, res) =>
      res.vary('Accept').cookie('b', '2').set('x-who', 'handler').send('ok'),
    );
    const app = express().use(perdure(await db.launchEngine(), { handlers: [handler] }));
    app.use((_req, res, next) => {
      res.vary('Origin').cookie('a', '1').set({ 'x-who': 'middleware', 'x-id': '7' });
      next();
    });
    app.get('/', handler);

    const { headers } = await request(app).get('/');

    expect(headers).toMatchObject({ vary: 'Origin, Accept', 'x-who': 'handler', 'x-id': '7' });
    expect(headers['set-cookie']).toEqual(['a=1; Path=/', 'b=2; Path=/']);
  });

  test('answers with 202 at once where the client prefers it, and with the response later', async () => {
    const app = await serve(
      durableHandler('later', async (_req, res) => res.status(201).json(await runStep('work', () => 'done'))),
    );
    const send = () =>
      request(app)
        .post('/orders/corner')
        .set({ 'Idempotency-Key': key('key-6'), prefer: 'respond-async' })
        .send({});

    const first = await send();
    const later = await request(app).post('/orders/corner').set('Idempotency-Key', key('key-6')).send({});
    const again = await send();

    expect([first.status, first.headers['preference-applied'], first.headers['retry-after']]).toEqual([
      202,
      'respond-async',
      '1',
    ]);
    expect([later.status, later.body]).toEqual([201, 'done']);
    expect([again.status, again.body]).toEqual([201, 'done']);
  });

  test('responds after it has slept for longer than a run stays in memory', async () => {
    let charges = 0;
    const handler = durableHandler(`sleep in ${version}`, async (_req, res) => {
      const charge = await runStep('charge', () => (charges += 1));
      await sleep('300ms');
      res.json({ charge });
    });
    const app = express().use(perdure(await db.launchEngine({ parkAfter: 0 }), { handlers: [handler] }));
    app.get('/', handler);

    const { body } = await request(app).get('/');

    expect([body, charges]).toEqual([{ charge: 1 }, 1]);
  });

  test('answers with 202 when the engine is closed first, and with the response in another process', async () => {
    const handler = durableHandler(`closed in ${version}`, async (_req, res) => {
      await sleep('400ms');
      res.json('done');
    });
    const serveWith = (engine: Engine): Express => {
      const app = express().use(perdure(engine, { handlers: [handler] }));
      return app.get('/', handler);
    };
    const send = (app: Express) => request(app).get('/').set('Idempotency-Key', key('closed'));
    const engine = await db.launchEngine();
    const cut = send(serveWith(engine)).then((response) => response.status);
    const running = () => db.query(`select 1 from perdure.runs where workflow = $1`, [`closed in ${version}`]);
    await waitFor(running, { what: 'the run', until: (found) => found.length > 0 });

    await engine.close();

    expect(await cut).toBe(202);
    expect((await send(serveWith(await db.launchEngine()))).body).toBe('done');
  });

  test('waits for its application before it goes on with what another process has left', async () => {
    const name = `left in ${version}`;
    const handler = durableHandler(name, (req, res) => res.json(req.originalUrl));
    const other = workflow('other', async () => 'done');
    const engine = await db.launchEngine({ workflows: [other] });
    const left = await engine.startWorkflow(contract<object, { body: string }>(name), storedRequest);
    const durable = perdure(engine, { handlers: [handler] });
    await (await engine.startWorkflow(other)).result();
    const before = await left.status();

    express().use(durable);

    expect(before).toBe('queued');
    expect((await left.result()).body).toBe('"/left"');
  });
});

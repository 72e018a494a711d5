// Requests and handlers that are out of the ordinary: what must neither end the process nor reach what it should not.

import { describe, expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import type { Express, RequestHandler } from 'express';
import { receive, silentLogger, topic, workflow } from 'perdure';
import request from 'supertest';
import { durableHandler, keepRawBody, perdure, problemDetails, startRoute, type DurableHandler } from '../src/index.js';
import { toWebRequest } from '../src/to-web-request.js';
import { useApplications, versions } from './support/application.js';

const db = useApplications();
const echo = workflow('echo', async (input: unknown) => input);
const waiting = workflow('waiting', async () => receive(topic<null>('go')));

describe.each(versions)('$version', ({ version, express }) => {
  async function serve(handler: DurableHandler, ...before: RequestHandler[]): Promise<Express> {
    const app = express();
    app.set('trust proxy', true);
    app.use(...before, express.json(), perdure(await db.launchEngine(), { handlers: [handler] }));
    app.all('/', handler);
    app.use(problemDetails({ showErrors: true, logger: silentLogger }));
    return app;
  }

  test('a file that is not there, or a view, is an error of the handler', async () => {
    const missing = await serve(durableHandler('missing', (_req, res) => res.sendFile('/nowhere/at/all')));
    const unseen = await serve(durableHandler('unseen', (_req, res) => res.render('nothing')));
    const unacceptable = await serve(
      durableHandler('unacceptable', (_req, res) => res.format({ json: () => res.json(1) })),
    );

    const answers = [
      await request(missing).get('/'),
      await request(unseen).get('/'),
      await request(unacceptable).get('/').set('accept', 'image/png'),
    ];

    expect(answers.map(({ status }) => status)).toEqual([404, 500, 406]);
  });

  test('a guard before the protocol sees the path that the protocol serves', async () => {
    const app = express();
    app.use('/perdure/start', (_req, res) => res.sendStatus(418));
    app.use(perdure(await db.launchEngine({ workflows: [echo] }), { expose: [echo] }));
    const url = await db.listen(app);
    const { request: send } = await import('node:http');
    const statusOf = (path: string, host: string) =>
      new Promise((resolve, reject) => {
        const options = { method: 'POST', path, headers: { host } };
        send(url, options, (response) => resolve(response.resume().statusCode))
          .once('error', reject)
          .end();
      });

    const statuses = [
      await statusOf('/perdure/start/echo', 'x'),
      await statusOf('/perdure/x/../start/echo', 'x'),
      await statusOf('/perdure/x\\..\\start\\echo', 'x'),
      await statusOf('/perdure/x', 'x/perdure/start/echo?'),
    ];

    expect(statuses).toEqual([418, 404, 404, 404]);
  });

  test('a key of an earlier request with another query is refused', async () => {
    const app = express();
    app.use(express.json(), perdure(await db.launchEngine({ workflows: [echo] })));
    app.post('/', startRoute(echo, { input: (req) => req.query }));
    const send = (sku: string) => request(app).post(`/?sku=${sku}`).set('idempotency-key', `"query ${version}"`);

    const [first, other, again] = [await send('a'), await send('b'), await send('a')];

    expect([first.status, other.status, again.status]).toEqual([202, 422, 202]);
  });

  test('a body that is nested without end is refused', async () => {
    const nested = '['.repeat(20_000) + ']'.repeat(20_000);
    const app = await serve(durableHandler('nested', (_req, res) => res.end()));
    const starting = express();
    starting.use(express.json(), perdure(await db.launchEngine({ workflows: [echo] }), { expose: [echo] }));
    starting.post('/start', startRoute(echo));
    const send = (to: Express, path: string) =>
      request(to).post(path).set('idempotency-key', 'nested').type('json').send(nested);

    const answers = [await send(app, '/'), await send(starting, '/start'), await send(starting, '/perdure/start/echo')];

    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400]);
  });

  test('a response that is too large is an error of the server, also for whoever asks again', async () => {
    const app = await serve(durableHandler('large', (_req, res) => res.end(Buffer.alloc(40_000_000))));
    const send = () => request(app).get('/').set('idempotency-key', `"large ${version}"`);

    const answers = [await send(), await send()];

    expect(answers.map(({ status }) => status)).toEqual([500, 500]);
  });

  test('a response that does not end is refused before it fills the memory', async () => {
    const part = Buffer.alloc(2 ** 20);
    const endless = durableHandler('endless', async (_req, res) => {
      for (let written = 0; written < 300; written += 1) res.write(part);
      await new Promise(() => undefined);
    });

    const { status, body } = await request(await serve(endless)).get('/');

    expect([status, body.detail]).toEqual([500, expect.stringContaining('has more than 268435456 bytes')]);
  });

  test('cookies and Vary of earlier middleware stay beside those of the handler', async () => {
    const app = await serve(
      durableHandler('cookies', (_req, res) => res.vary('Accept').cookie('paid', 'yes').end()),
      (_req, res, next) => next(void res.vary('Origin').cookie('language', 'de')),
    );

    const { headers } = await request(app).get('/');

    expect(headers['set-cookie']).toEqual(['language=de; Path=/', 'paid=yes; Path=/']);
    expect(headers['vary']).toBe('Origin, Accept');
  });

  test.each([
    ['an object', { 'Set-Cookie': ['a=1', 'b=2'], 'X-Kind': 'c' }],
    [
      'pairs',
      [
        ['Set-Cookie', ['a=1', 'b=2']],
        ['X-Kind', 'c'],
      ],
    ],
    ['names and values', ['Set-Cookie', 'a=1', 'set-cookie', 'b=2', 'X-Kind', 'c']],
  ])('headers may be given to writeHead as %s', async (name, given) => {
    const app = await serve(durableHandler(`headers as ${name}`, (_req, res) => res.writeHead(200, given as []).end()));

    const { headers } = await request(app).get('/');

    expect([headers['set-cookie'], headers['x-kind']]).toEqual([['a=1', 'b=2'], 'c']);
  });

  test('a handler sees the host that a trusted proxy names', async () => {
    const app = await serve(durableHandler('host', (req, res) => res.json([req.hostname, req.protocol])));

    const { body } = await request(app)
      .get('/')
      .set({ 'x-forwarded-host': 'shop.example', 'x-forwarded-proto': 'https' });

    expect(body).toEqual(['shop.example', 'https']);
  });

  test('a raw body is a Buffer', async () => {
    const app = await serve(
      durableHandler('raw', (req, res) => res.json([Buffer.isBuffer(req.body), String(req.body)])),
      express.raw({ type: 'text/plain', verify: keepRawBody }),
    );

    const { body } = await request(app).post('/').type('text/plain').send('hello');

    expect(body).toEqual([true, 'hello']);
  });

  test('names of Object are keys as others', async () => {
    const app = await serve(
      durableHandler('keys', (req, res) => res.json([req.body, req.query, Object.keys(req.body)])),
    );
    const sent = '{"__proto__":{"isAdmin":true},"constructor":1,"hasOwnProperty":2,"then":3,"toJSON":4}';

    const { body } = await request(app).post('/?__proto__[isAdmin]=1&hasOwnProperty=1').type('json').send(sent);

    expect(body[2]).toContain('hasOwnProperty');
    expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined();
  });

  test('a body that nothing has read is not lost because something else is persisted', async () => {
    const app = await serve(
      durableHandler('unread', (req, res) => res.json({ body: req.body }), { persist: () => ({ user: { id: 7 } }) }),
    );

    const { status } = await request(app).post('/').type('text/plain').send('hello');

    expect(status).toBe(415);
  });

  test('a client that went before the protocol was asked is known to be gone', async () => {
    const seen: { signal?: AbortSignal } = {};
    const client = new AbortController();
    const app = express();
    app.use((req, res) => {
      res.once('close', () => {
        seen.signal = toWebRequest(req, res).signal;
      });
      client.abort();
    });
    const url = await db.listen(app);

    await expect(fetch(url, { signal: client.signal })).rejects.toThrow('aborted');

    await waitFor(() => seen.signal?.aborted, { what: 'the signal', until: (aborted) => aborted === true });
  });

  test('other methods than those of fetch are not allowed', async () => {
    const app = express();
    app.use(perdure(await db.launchEngine({ workflows: [waiting] }), { expose: [waiting] }));

    const { status } = await request(app).trace('/perdure/runs/x');

    expect(status).toBe(405);
  });
});

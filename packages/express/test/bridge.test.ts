// The way between Express and the protocol, on both versions: bodies, mount paths, streams of events, aborted clients.

import { describe, expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import type { Express, RequestHandler } from 'express';
import { receive, runStep, sleep, topic, workflow, type Engine } from 'perdure';
import request from 'supertest';
import { durableHandler, expose, keepRawBody, perdure, problemDetails, signToken, startRoute } from '../src/index.js';
import { toWebRequest } from '../src/to-web-request.js';
import { useApplications, versions } from './support/application.js';

const db = useApplications();
const echo = workflow('echo', async (input: unknown) => input);
const approval = topic<{ approved: boolean }>('approval');
const waiting = workflow('waiting', async () => (await receive(approval))?.approved);
const secret = 'a secret of at least thirty-two characters';

describe.each(versions)('$version: the protocol', ({ express }) => {
  async function serve(...before: RequestHandler[]): Promise<{ app: Express; engine: Engine }> {
    const engine = await db.launchEngine({ workflows: [echo, waiting] });
    const app = express();
    const exposed = [echo, expose({ workflow: waiting, topics: [approval], cancel: true })];
    app.use(...before, perdure(engine, { expose: exposed, tokens: { secret } }));
    return { app, engine };
  }

  test.each([
    ['before a body parser', []],
    ['behind express.json()', [express.json()]],
    ['behind express.json() that keeps the raw body', [express.json({ verify: keepRawBody })]],
    ['behind express.raw()', [express.raw({ type: '*/*' })]],
  ])('takes JSON %s', async (_where, before) => {
    const { app } = await serve(...before);

    const response = await request(app).post('/perdure/start/echo').set('prefer', 'wait=10').send({ sku: 'Ä-1' });

    expect([response.status, response.body.output]).toEqual([200, { sku: 'Ä-1' }]);
  });

  test('answers below its path alone', async () => {
    const { app } = await serve();
    app.get('/perduresome', (_req, res) => res.send('mine'));

    const [mine, unknown] = [await request(app).get('/perduresome'), await request(app).get('/perdure/nothing')];

    expect(mine.text).toBe('mine');
    expect([unknown.status, unknown.body.code]).toEqual([404, 'ROUTE_NOT_FOUND']);
  });

  test('names its own place in Location, below the mount path of a sub-application', async () => {
    const { app } = await serve();
    const outer = express();
    outer.use('/api', app);

    const started = await request(outer).post('/api/perdure/start/echo').send({});
    const found = await request(outer).get(String(started.headers['location']));

    expect(started.headers['location']).toMatch(/^\/api\/perdure\/runs\//);
    expect([found.status, found.body.id]).toEqual([200, started.body.id]);
  });

  test('may take all that comes to where it is mounted', async () => {
    const engine = await db.launchEngine({ workflows: [echo] });
    const app = express().use('/durable', perdure(engine, { expose: [echo], path: '/' }));

    const started = await request(app).post('/durable/start/echo').send({});
    const found = await request(app).get(String(started.headers['location']));

    expect(started.headers['location']).toBe(`/durable/runs/${String(started.body.id)}`);
    expect(found.status).toBe(200);
  });

  test('streams what a run does, and ends with it', async () => {
    const { app, engine } = await serve();
    const url = await db.listen(app);
    const run = await engine.startWorkflow(waiting);
    const response = await fetch(`${url}/perdure/runs/${run.id}/events`);

    await engine.send(run.id, approval, { approved: true });
    const text = await response.text();

    expect(response.headers.get('content-type')).toContain('text/event-stream');
    expect(text).toMatch(/event: status\ndata: .*"succeeded".*"output":true/);
  });

  test('hears of a client that goes away', async () => {
    const heard = { aborted: false };
    const app = express();
    app.get('/', (req, res) => {
      toWebRequest(req, res).signal.addEventListener('abort', () => (heard.aborted = true));
      res.write('beginning');
    });
    const url = await db.listen(app);
    const control = new AbortController();
    await fetch(url, { signal: control.signal });

    control.abort();

    expect(await waitFor(() => heard.aborted, { what: 'the signal' })).toBe(true);
  });

  test('takes a signed link as leave to send, and nothing else', async () => {
    const { app, engine } = await serve();
    const run = await engine.startWorkflow(waiting);
    const scope = { secret, run: run.id, action: 'send', topic: approval.name } as const;
    const token = signToken({ ...scope, expiresAt: new Date(Date.now() + 60_000) });
    const send = (query: string) =>
      request(app).post(`/perdure/runs/${run.id}/topics/approval${query}`).send({ approved: true });

    const [without, forged, right] = [
      await send(''),
      await send(`?token=${token.slice(0, -3)}abc`),
      await send(`?token=${token}`),
    ];

    expect([without.status, forged.status]).toEqual([401, 401]);
    expect(right.ok).toBe(true);
    expect(await run.result()).toBe(true);
  });
});

describe.each(versions)('$version: routes of the application', ({ version, express }) => {
  test('start runs, with the input and id that they choose', async () => {
    const engine = await db.launchEngine({ workflows: [echo] });
    const app = express();
    app.use(express.json(), perdure(engine, { expose: [echo] }));
    const id = `order-${version.slice(-1)}`;
    app.post(
      '/orders/:shop',
      startRoute(echo, { input: (req) => ({ shop: req.params['shop'], ...req.body }), id: () => id }),
    );
    const send = (prefer: string) => request(app).post('/orders/corner').set('prefer', prefer).send({ sku: 'A-1' });

    const accepted = await send('respond-async');
    const finished = await send('wait=10');

    expect([accepted.status, accepted.headers['location'], accepted.headers['preference-applied']]).toEqual([
      202,
      `/perdure/runs/${id}`,
      'respond-async',
    ]);
    expect([finished.status, finished.body.output]).toEqual([200, { shop: 'corner', sku: 'A-1' }]);
  });

  test('give a repeated key the same run, and another request with it 422', async () => {
    const engine = await db.launchEngine({ workflows: [echo] });
    const app = express();
    app.use(express.json(), perdure(engine));
    app.post('/orders', startRoute(echo));
    const send = (body: object) => request(app).post('/orders').set('Idempotency-Key', `"${version}"`).send(body);

    const [first, second, other] = [await send({ sku: 1 }), await send({ sku: 1 }), await send({ sku: 2 })];

    expect([second.body.id, second.headers['idempotency-replayed']]).toEqual([first.body.id, 'true']);
    expect([other.status, other.body.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
  });

  test('find the engine in req.perdure', async () => {
    const engine = await db.launchEngine({ workflows: [waiting] });
    const app = express();
    app.use(perdure(engine, { expose: [waiting] }));
    app.post('/wait', (req, _res, next) => {
      req.perdure.start(waiting).then((run) => req.perdure.accepted(run), next);
    });
    app.post('/wait/:id', (req, res, next) => {
      req.perdure.send(String(req.params['id']), approval, { approved: false }).then(() => res.sendStatus(204), next);
    });

    const accepted = await request(app).post('/wait');
    const sent = await request(app).post(`/wait/${String(accepted.body.id)}`);

    expect([accepted.status, accepted.headers['location']]).toEqual([202, `/perdure/runs/${String(accepted.body.id)}`]);
    expect(sent.status).toBe(204);
    expect(await engine.getHandle(accepted.body.id).result()).toBe(false);
  });

  test('have durable handlers in routers and sub-applications, with their paths', async () => {
    const where = durableHandler('where', (req, res) =>
      res.json([req.baseUrl, req.url, req.originalUrl, req.params, req.path, req.method]),
    );
    const app = express();
    app.use(perdure(await db.launchEngine(), { handlers: [where] }));
    const router = express.Router();
    router.put('/orders/:id', where);
    const sub = express();
    sub.use('/shop', router);
    app.use('/api', sub);

    const { body } = await request(app).put('/api/shop/orders/7?q=1');

    expect(body).toEqual(['/api/shop', '/orders/7?q=1', '/api/shop/orders/7?q=1', { id: '7' }, '/orders/7', 'PUT']);
  });

  test('use the settings of the application in durable handlers', async () => {
    const pretty = durableHandler('pretty', async (_req, res) => res.json(await runStep('make', () => ({ a: 1 }))));
    const app = express();
    app.set('json spaces', 2);
    app.use(perdure(await db.launchEngine(), { handlers: [pretty] }));
    app.get('/', pretty);

    const { text } = await request(app).get('/');

    expect(text).toBe('{\n  "a": 1\n}');
  });

  test('answer what the engine refuses with problem details, by the error middleware', async () => {
    const engine = await db.launchEngine({ workflows: [echo] });
    const app = express();
    app.use(perdure(engine));
    app.post('/', (req, _res, next) => {
      req.perdure.start(echo, {}, { id: '' }).catch(next);
    });
    app.use(problemDetails());

    const response = await request(app).post('/');

    expect([response.status, response.body.code]).toEqual([400, 'RUN_ID_INVALID']);
  });

  test('do not wait for ever: a client that goes leaves its run alone', async () => {
    const client = new AbortController();
    const slow = durableHandler(`slow in ${version}`, async (_req, res) => {
      client.abort();
      await sleep('300ms');
      res.json(await runStep('end', () => 'done'));
    });
    const engine = await db.launchEngine();
    const app = express();
    app.use(perdure(engine, { handlers: [slow] }));
    app.get('/', slow);
    const url = await db.listen(app);

    await expect(fetch(url, { signal: client.signal })).rejects.toThrow('aborted');

    const rows = () =>
      db.query(`select 1 from perdure.runs where workflow = $1 and status = 'succeeded'`, [`slow in ${version}`]);
    await waitFor(rows, { what: 'the run to end', until: (found) => found.length > 0 });
  });
});

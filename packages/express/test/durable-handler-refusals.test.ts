// What a durable handler cannot do is refused with words that say what to do instead, on both Express versions.

import { describe, expect, test } from '@jest/globals';
import type { Express, RequestHandler } from 'express';
import { silentLogger, uuid } from 'perdure';
import request from 'supertest';
import { durableHandler, perdure, problemDetails, type DurableHandler } from '../src/index.js';
import { HandlerRunner } from '../src/run-handler.js';
import { useApplications, versions } from './support/application.js';

const db = useApplications();

const emptyRequest = {
  method: 'POST',
  url: '/',
  originalUrl: '/',
  baseUrl: '',
  protocol: 'http',
  host: 'localhost',
  hostname: 'localhost',
  headers: {},
  params: {},
  query: {},
  body: {},
  properties: {},
};

describe.each(versions)('$version: a durable handler', ({ express }) => {
  async function serve(handler: DurableHandler, ...before: RequestHandler[]): Promise<Express> {
    const app = express();
    app.use(perdure(await db.launchEngine(), { handlers: [handler] }), ...before);
    app.post('/', handler);
    app.use(problemDetails({ showErrors: true, logger: silentLogger }));
    return app;
  }

  test.each([
    ['calls next()', durableHandler('next', (_req, _res, next) => next()), /calls next\(\).*respond here/],
    ['calls next("route")', durableHandler('route', (_req, _res, next) => next('route')), /calls next\(\)/],
    ['reads the request as a stream', durableHandler('pipe', (req) => req.resume()), /use req\.body/],
    [
      'streams events',
      durableHandler('events', (_req, res) => {
        res.type('text/event-stream').write('data: 1\n\n');
        res.end();
      }),
      /writeStream/,
    ],
  ])('that %s is refused', async (_what, handler, reason) => {
    const app = await serve(handler, express.json());

    const { status, body } = await request(app).post('/').send({});

    expect([status, body.code]).toEqual([500, 'HANDLER_UNSUPPORTED']);
    expect(body.detail).toMatch(reason);
  });

  test('that calls next() and returns leaves no timer that keeps the process alive', async () => {
    const runner = new HandlerRunner(express());
    const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();

    const run = runner.run('next', (_req, _res, next) => next(new Error('no')), emptyRequest);

    await expect(run).rejects.toThrow('no');
    expect(timers()).toBe(before);
  });

  test('that no parser stands before is refused a JSON body', async () => {
    const app = await serve(durableHandler('unparsed', (_req, res) => res.end()));

    const { status, body } = await request(app).post('/').send({ sku: 'A-1' });

    expect([status, body.code]).toEqual([500, 'HANDLER_UNSUPPORTED']);
    expect(body.detail).toMatch(/express\.json\(\)/);
  });

  test.each([
    ['multipart/form-data; boundary=x', '--x--'],
    ['text/plain', 'sku'],
  ])('refuses a body of type %s that nobody has read', async (type, body) => {
    const app = await serve(
      durableHandler('unread', (_req, res) => res.end()),
      express.json(),
    );

    const response = await request(app).post('/').type(type).send(body);

    expect([response.status, response.body.code]).toEqual([415, 'BODY_TYPE_UNSUPPORTED']);
  });

  test.each<[string, unknown, number, string]>([
    ['a Promise', Promise.resolve('evt_1'), 500, 'CONFIG_INVALID'],
    ['an object', { id: 'evt_1' }, 400, 'OPTION_INVALID'],
    ['no text', '', 400, 'OPTION_INVALID'],
  ])('refuses %s for a key, which would be that of every request', async (_what, key, status, code) => {
    const handler = durableHandler('keyed', (_req, res) => res.end(), { key: () => key as string });
    const app = await serve(handler, express.json());

    const response = await request(app).post('/').send({ sku: 'A-1' });

    expect([response.status, response.body.code]).toEqual([status, code]);
  });

  test('takes null for no key, as a body may have it', async () => {
    const ids: string[] = [];
    const handler = durableHandler('null-key', (_req, res) => res.send(uuid()), { key: () => null as never });
    const app = await serve(handler, express.json());

    for (let sent = 0; sent < 2; sent++) ids.push((await request(app).post('/').send({ sku: 'A-1' })).text);

    expect(new Set(ids).size).toBe(2);
  });

  test('refuses a Promise for a principal, which would be that of everybody', async () => {
    const handler = durableHandler('owned', (_req, res) => res.end());
    const app = express();
    const principal = async (): Promise<string> => 'ada';
    app.use(perdure(await db.launchEngine(), { handlers: [handler], principal: principal as never }), express.json());
    app.post('/', handler);
    app.use(problemDetails({ showErrors: true, logger: silentLogger }));

    const { status, body } = await request(app).post('/').set('Idempotency-Key', '"a1"').send({ sku: 'A-1' });

    expect([status, body.code]).toEqual([500, 'CONFIG_INVALID']);
    expect(body.detail).toContain('principal gives a Promise');
  });

  test('refuses uploaded files, unless the application says what of them to record', async () => {
    const upload: RequestHandler = (req, _res, next) =>
      next(void Object.assign(req, { file: { buffer: Buffer.alloc(9) } }));
    const refusing = await serve(
      durableHandler('files', (_req, res) => res.end()),
      upload,
    );
    const keeping = await serve(
      durableHandler('stored-files', (req, res) => res.json(req.upload), {
        persist: () => ({ upload: 'bucket/7' }),
      }),
      upload,
    );

    const [refused, kept] = [await request(refusing).post('/'), await request(keeping).post('/')];

    expect([refused.status, refused.body.code]).toEqual([500, 'HANDLER_UNSUPPORTED']);
    expect([kept.status, kept.body]).toEqual([200, 'bucket/7']);
  });

  test('that is not listed is refused, as its runs would be stranded', async () => {
    const app = await serve(durableHandler('listed', (_req, res) => res.end()));
    app.post(
      '/other',
      durableHandler('forgotten', (_req, res) => res.end()),
    );
    app.use(problemDetails({ showErrors: true, logger: silentLogger }));

    const { body } = await request(app).post('/other');

    expect(body).toMatchObject({ code: 'HANDLER_UNLISTED', detail: expect.stringContaining('"listed"') });
  });

  test('that stands before the middleware is refused', async () => {
    const app = express();
    app.post(
      '/',
      durableHandler('early', (_req, res) => res.end()),
    );
    app.use(problemDetails({ showErrors: true, logger: silentLogger }));

    const { body } = await request(app).post('/');

    expect(body).toMatchObject({ code: 'MIDDLEWARE_MISSING' });
  });

  test('that is not listed is told to the log, and only its code to the client', async () => {
    const lines: unknown[] = [];
    const error = (fields: unknown, message: unknown): void => void lines.push({ fields, message });
    const app = express();
    app.use(perdure(await db.launchEngine()));
    app.post(
      '/orders',
      durableHandler('unlisted', () => undefined),
    );
    app.use(problemDetails({ logger: { ...silentLogger, error } }));

    const { body } = await request(app).post('/orders');

    expect(body).toMatchObject({ code: 'HANDLER_UNLISTED' });
    expect(body.detail).toBeUndefined();
    const fields = { err: { code: 'HANDLER_UNLISTED' }, method: 'POST', path: '/orders' };
    expect(lines).toMatchObject([{ fields, message: 'a request could not be answered' }]);
  });

  test('whose response is larger than a run may record fails, and says so', async () => {
    const handler = durableHandler('large', (_req, res) => res.send('x'.repeat(2_000)));
    const app = express();
    app.use(perdure(await db.launchEngine({ maxPayloadBytes: 1_024 }), { handlers: [handler] }));
    app.post('/', handler);
    app.use(problemDetails({ showErrors: true, logger: silentLogger }));

    const { status, body } = await request(app).post('/');

    expect([status, body.code]).toEqual([500, 'HANDLER_UNSUPPORTED']);
    expect(body.detail).toMatch(/the result of .* has \d+ bytes.*raise the limit\. Change/);
  });
});

test.each(['Authorization', 'cookie', 'Proxy-Authorization'])(
  'the header %s cannot be chosen to be recorded',
  (name) => {
    expect(() => durableHandler('secret', () => undefined, { headers: [name] })).toThrow(/OPTION_INVALID.*persist/);
  },
);

test('an ordinary handler among the durable ones is refused', async () => {
  const engine = await db.launchEngine();
  const handlers: unknown = [() => undefined];

  expect(() => perdure(engine, { handlers: handlers as DurableHandler[] })).toThrow(
    /OPTION_INVALID.*durableHandler\(\)/,
  );
});

test.each(['handler', 'authorise'])('a misspelt option of the middleware is refused: %s', async (option) => {
  const engine = await db.launchEngine();

  expect(() => perdure(engine, { [option]: [] })).toThrow(
    new RegExp(`OPTION_INVALID: option ${option} .*no such option`),
  );
});

test.each<[string, object, string]>([
  ['', {}, 'NAME_INVALID'],
  ['named', { timeout: 'soon' }, 'DURATION_INVALID'],
  ['named', { requirekey: true }, 'OPTION_INVALID'],
])('a durable handler named "%s" with %j is refused with %s', (name, options, code) => {
  expect(() => durableHandler(name, () => undefined, options)).toThrow(code);
});

test('two handlers of one name are refused', async () => {
  const [one, two] = [durableHandler('same', () => undefined), durableHandler('same', () => undefined)];
  const engine = await db.launchEngine();

  expect(() => perdure(engine, { handlers: [one, two] })).toThrow('WORKFLOW_DUPLICATE');
});

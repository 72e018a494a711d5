// The API as its clients see it, without any worker: it stores and starts, and others run.

import 'reflect-metadata';
import type { INestApplication } from '@nestjs/common';
import { createPerdureTest, type PerdureTest } from '@perdure/nestjs/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { contract } from 'perdure';
import { ApiModule } from '../src/api.module.js';
import { configureApi } from '../src/configure-api.js';
import { Settings } from '../src/settings.js';
import { someOrder } from './support/some-order.js';

let api: PerdureTest<INestApplication>;
let url: string;

beforeAll(async () => {
  api = await createPerdureTest(
    { imports: [ApiModule] },
    {
      override: (builder, database) =>
        builder.overrideProvider(Settings).useValue({ databaseUrl: database.url, lease: '6s' }),
      application: (module) => configureApi(module.createNestApplication({ logger: false })),
    },
  );
  await api.app.listen(0, '127.0.0.1');
  url = await api.app.getUrl();
});

afterAll(async () => {
  await api.close();
});

test('an order that is accepted is stored together with its run', async () => {
  const response = await post('/orders', someOrder({ id: 'lamp-1' }));

  expect([response.status, await response.json()]).toEqual([202, { id: 'lamp-1' }]);
  expect(await api.engine.runs.get('lamp-1')).toMatchObject({ workflow: 'fulfil-order', queue: 'fulfilment' });
  const view = await fetch(`${url}/orders/lamp-1`);
  expect(await view.json()).toMatchObject({ id: 'lamp-1', status: 'placed', steps: [] });
});

test('an order whose run cannot be started is not stored', async () => {
  await api.engine.startWorkflow(contract('another workflow'), undefined, { id: 'taken' });

  const response = await post('/orders', someOrder({ id: 'taken' }));

  expect([response.status, await response.json()]).toMatchObject([409, { code: 'RUN_ID_CONFLICT' }]);
  expect((await fetch(`${url}/orders/taken`)).status).toBe(404);
});

test('an order that is placed twice is a conflict, and the first order stays as it is', async () => {
  await post('/orders', someOrder({ id: 'twice', item: 'lamp' }));

  const response = await post('/orders', someOrder({ id: 'twice', item: 'piano' }));

  expect(response.status).toBe(409);
  expect(await (await fetch(`${url}/orders/twice`)).json()).toMatchObject({ item: 'lamp' });
});

test('what is no order is refused with all its faults', async () => {
  const response = await post('/orders', { ...someOrder({ id: 'not an id' }), cents: -1 });

  expect(response.status).toBe(400);
  const { message } = (await response.json()) as { message: readonly string[] };
  expect(message).toEqual([expect.stringContaining('id must match'), 'cents must be a positive number']);
});

test('an answer for an order that does not exist is 404', async () => {
  const response = await post('/orders/nowhere/approval', { approved: true, by: 'grace' });

  expect([response.status, await response.json()]).toMatchObject([404, { code: 'RUN_NOT_FOUND' }]);
});

test('an answer that comes too late is 409', async () => {
  await post('/orders', someOrder({ id: 'late' }));
  await api.engine.runs.cancel('late');

  const response = await post('/orders/late/approval', { approved: true, by: 'grace' });

  expect([response.status, await response.json()]).toMatchObject([409, { code: 'RUN_STATE_CONFLICT' }]);
});

test('the health is that of the engine', async () => {
  const response = await fetch(`${url}/health`);

  expect(await response.json()).toMatchObject({ status: 'ok', info: { perdure: { status: 'up' } } });
});

test('the API is described', async () => {
  const response = await fetch(`${url}/docs-json`);

  const { paths } = (await response.json()) as { paths: Readonly<Record<string, unknown>> };
  expect(Object.keys(paths)).toEqual(['/orders', '/orders/{id}', '/orders/{id}/approval', '/reports', '/health']);
});

async function post(path: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
}

import { expect, test } from '@jest/globals';
import { type } from 'arktype';
import { topic, workflow } from 'perdure';
import * as v from 'valibot';
import { z } from 'zod';
import { expose, openApi } from '../src/index.js';

const order = z.object({ sku: z.string() });
const checkout = workflow('check out', async () => undefined, { input: order });

test('the routes of what is exposed are described, with the schemas of inputs and messages', () => {
  const approval = topic('approval', type({ approved: 'boolean' }));

  const { openapi, info, paths } = openApi({
    title: 'Shop',
    basePath: '/perdure',
    expose: [expose({ workflow: checkout, topics: [approval], cancel: true })],
    tickSecret: 'a secret of the clock',
  });

  expect([openapi, info]).toEqual(['3.1.1', { title: 'Shop', version: '1.0.0' }]);
  expect(Object.keys(paths)).toEqual([
    '/perdure/start/check%20out',
    '/perdure/runs/{id}',
    '/perdure/runs/{id}/events',
    '/perdure/runs/{id}/topics/approval',
    '/perdure/runs/{id}/cancel',
    '/perdure/tick',
  ]);
  expect(JSON.stringify(paths['/perdure/start/check%20out'])).toContain('"properties":{"sku":{"type":"string"}}');
  expect(JSON.stringify(paths['/perdure/runs/{id}/topics/approval'])).toContain('"approved":{"type":"boolean"}');
});

test('what is not reachable is not described', () => {
  const { paths } = openApi({ expose: [expose({ workflow: checkout, start: false })] });

  expect(Object.keys(paths)).toEqual(['/runs/{id}', '/runs/{id}/events']);
});

test('a schema that cannot be told is any JSON', () => {
  const dates = workflow('dates', async () => undefined, { input: z.object({ at: z.date() }) });
  const silent = workflow('silent', async () => undefined, { input: v.object({ sku: v.string() }) });

  const { paths } = openApi({ expose: [dates, silent] });

  const bodies = [paths['/start/dates'], paths['/start/silent']].map((path) => JSON.stringify(path));
  for (const body of bodies) expect(body).toContain('"requestBody":{"content":{"application/json":{"schema":{}}}}');
});

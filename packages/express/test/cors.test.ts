// Pages of another origin: the application's own cors() before perdure() says what they may read, `origins` who may act.

import { describe, expect, test } from '@jest/globals';
import cors from 'cors';
import type { Express } from 'express';
import { workflow } from 'perdure';
import { perdure } from '../src/index.js';
import { useApplications, versions } from './support/application.js';

const db = useApplications();
const shop = 'https://shop.example';
const double = workflow('double', async (input: number) => input * 2);

describe.each(versions)('$version: behind cors()', ({ express }) => {
  async function serve(): Promise<string> {
    const engine = await db.launchEngine({ workflows: [double] });
    const app: Express = express();
    app.use(
      cors({ origin: shop, exposedHeaders: ['Location'] }),
      perdure(engine, { expose: [double], origins: [shop] }),
    );
    return db.listen(app);
  }

  test('a browser is told that the page may send a key and its preference', async () => {
    const url = await serve();

    const { status, headers } = await fetch(`${url}/perdure/start/double`, {
      method: 'OPTIONS',
      headers: {
        origin: shop,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,idempotency-key,prefer',
      },
    });

    expect([status, headers.get('access-control-allow-origin')]).toEqual([204, shop]);
    expect(headers.get('access-control-allow-headers')).toBe('content-type,idempotency-key,prefer');
  });

  test('a start, its events and a refusal are answers that the page may read', async () => {
    const url = await serve();
    const headers = { origin: shop, 'sec-fetch-site': 'cross-site', 'content-type': 'application/json' };

    const started = await fetch(`${url}/perdure/start/double`, { method: 'POST', headers, body: '21' });
    const events = await fetch(`${url}${started.headers.get('location')}/events`, { headers });
    const unknown = await fetch(`${url}/perdure/runs/nobody`, { headers });

    expect(await events.text()).toContain('"output":42');
    expect([started.status, unknown.status]).toEqual([202, 404]);
    const allowed = [started, events, unknown].map((answer) => answer.headers.get('access-control-allow-origin'));
    expect(allowed).toEqual([shop, shop, shop]);
    expect(started.headers.get('access-control-expose-headers')).toBe('Location');
  });

  test('a page of any other origin starts nothing', async () => {
    const url = await serve();
    const headers = { origin: 'https://evil.example', 'content-type': 'application/json' };

    const { status } = await fetch(`${url}/perdure/start/double`, { method: 'POST', headers, body: '21' });

    expect(status).toBe(403);
  });
});

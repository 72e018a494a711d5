// Starting runs: 202 and Location, Prefer, validation, idempotency keys.

import { describe, expect, test } from '@jest/globals';
import { post, runUrl, send } from './client.js';
import type { HttpWorld } from './world.js';

const order = { sku: 'A-1', count: 2 };

/** How runs are started. */
export function startConformance(world: HttpWorld): void {
  describe('a start', () => {
    test('is answered with 202, where to look, and when', async () => {
      const { url } = await world.serve();

      const { status, headers, body } = await post(`${url}/start/checkout`, order);

      const location = new URL(`${url}/runs/${String(body['id'])}`).pathname;
      expect(status).toBe(202);
      expect(body).toMatchObject({ workflow: 'checkout', url: location });
      expect(Object.fromEntries(headers)).toMatchObject({ location, 'retry-after': '1', 'cache-control': 'no-store' });
      expect((await send(new URL(location, url).href)).status).toBe(200);
    });

    test('that prefers to wait is answered with the outcome, as plain JSON', async () => {
      const { url } = await world.serve();

      const { status, headers, body } = await post(`${url}/start/checkout`, order, { prefer: 'wait=20' });

      expect(status).toBe(200);
      expect(headers.get('preference-applied')).toBe('wait=20');
      expect(body).toMatchObject({
        status: 'succeeded',
        isFinal: true,
        output: { sku: 'A-1', count: 2, at: '1970-01-01T00:00:00.000Z' },
      });
    });

    test('that prefers to wait less than the run takes is answered with 202', async () => {
      const { url } = await world.serve('shortWaits');

      const { status, headers } = await post(`${url}/start/approved`, undefined, { prefer: 'respond-async, wait=20' });

      expect(status).toBe(202);
      expect(headers.get('preference-applied')).toBe('respond-async, wait=0');
    });

    test('of a run that fails tells no more than the name of the error, unless errors are shown', async () => {
      const [{ url }, open] = [await world.serve(), await world.serve('shownErrors')];
      const wait = { prefer: 'wait=20' };

      const { status, body } = await post(`${url}/start/failing`, undefined, wait);
      const shown = await post(`${open.url}/start/failing`, undefined, wait);

      expect([status, body['status'], body['error']]).toEqual([200, 'failed', { name: 'Error' }]);
      expect(shown.body['error']).toEqual({ name: 'Error', message: 'password=hunter2 was refused' });
    });

    test('with an input that does not fit is answered with 422 and pointers', async () => {
      const { url } = await world.serve();

      const { status, headers, body } = await post(`${url}/start/checkout`, { sku: 7, count: -1 });

      expect(status).toBe(422);
      expect(headers.get('content-type')).toBe('application/problem+json');
      expect(body).toMatchObject({
        code: 'INPUT_INVALID',
        status: 422,
        errors: [
          { pointer: '#/sku', detail: expect.any(String) },
          { pointer: '#/count', detail: expect.any(String) },
        ],
      });
    });
  });

  describe('an idempotency key', () => {
    test('gives the same run and the same outcome again', async () => {
      const { url } = await world.serve();
      const key = { 'idempotency-key': '"again"', prefer: 'wait=20' };

      const first = await post(`${url}/start/checkout`, order, key);
      const second = await post(`${url}/start/checkout`, { count: 2, sku: 'A-1' }, key);

      expect([first.status, second.status]).toEqual([200, 200]);
      expect(second.body).toEqual(first.body);
      expect(first.headers.get('idempotency-replayed')).toBeNull();
      expect(second.headers.get('idempotency-replayed')).toBe('true');
    });

    test('with another request is refused', async () => {
      const { url } = await world.serve();
      const key = { 'idempotency-key': '"other"' };
      await post(`${url}/start/checkout`, order, key);

      const { status, body } = await post(`${url}/start/checkout`, { ...order, count: 3 }, key);

      expect([status, body['code']]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    });

    test('sent many times at once starts one run, over a restarted server as well', async () => {
      const first = await world.serve();
      const key = { 'idempotency-key': '"crowd"' };
      const crowd = await Promise.all(Array.from({ length: 30 }, () => post(`${first.url}/start/echo`, { n: 1 }, key)));
      const { url } = await first.restart();

      const later = await post(`${url}/start/echo`, { n: 1 }, key);

      expect(new Set([...crowd, later].map(({ body }) => body['id'])).size).toBe(1);
      expect(later.headers.get('idempotency-replayed')).toBe('true');
    });

    test('counts for its route and its principal alone', async () => {
      const { url } = await world.serve('principals');
      const key = { 'idempotency-key': '"mine"' };

      const answers = [
        await post(`${url}/start/echo`, order, key),
        await post(`${url}/start/checkout`, order, key),
        await post(`${url}/start/echo`, order, { ...key, 'x-user': 'ann' }),
        await post(`${url}/start/echo`, order, { ...key, 'x-user': 'bob' }),
      ];

      expect(new Set(answers.map(({ body }) => body['id'])).size).toBe(4);
    });

    test('may be given bare, and may be required', async () => {
      const { url } = await world.serve('requiredKeys');

      const without = await post(`${url}/start/echo`, order);
      const bare = await post(`${url}/start/echo`, order, { 'idempotency-key': 'bare-1' });
      const quoted = await post(`${url}/start/echo`, order, { 'idempotency-key': '"bare-1"' });

      expect([without.status, without.body['code']]).toEqual([400, 'IDEMPOTENCY_KEY_MISSING']);
      expect(quoted.body['id']).toBe(bare.body['id']);
    });

    test('whose time is over starts anew', async () => {
      const { url } = await world.serve('expiredKeys');
      const key = { 'idempotency-key': '"brief"', prefer: 'wait=20' };
      const first = await post(`${url}/start/echo`, order, key);

      const second = await post(`${url}/start/echo`, order, key);

      expect(second.body['id']).not.toBe(first.body['id']);
      expect((await send(runUrl(url, String(first.body['id'])))).status).toBe(200);
    });
  });
}

// What clients send that they should not, and what becomes of it.

import { connect } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { post, runUrl, send, start, type Answer } from './client.js';
import type { HttpWorld } from './world.js';

const json = { 'content-type': 'application/json' };

/** How nonsense is answered. */
export function badInputConformance(world: HttpWorld, looks: number): void {
  const startWith = async (init: RequestInit, workflow = 'echo'): Promise<Answer> => {
    const { url } = await world.serve('shortBodies');
    return send(`${url}/start/${workflow}`, { method: 'POST', ...init });
  };

  describe('a body', () => {
    test.each([
      ['is no JSON', '{"a":', json, 400, 'BODY_NOT_JSON'],
      ['is no UTF-8', Buffer.from('"\xff"', 'latin1'), json, 400, 'BODY_NOT_JSON'],
      ['is nested without end', '['.repeat(400) + ']'.repeat(400), json, 400, 'BODY_NOT_JSON'],
      ['is text', 'hello', { 'content-type': 'text/plain' }, 415, 'BODY_TYPE_UNSUPPORTED'],
      ['is a form', 'a=1', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'BODY_TYPE_UNSUPPORTED'],
      [
        'is of another charset',
        '1',
        { 'content-type': 'application/json; charset=latin1' },
        415,
        'BODY_TYPE_UNSUPPORTED',
      ],
    ])('that %s is refused', async (_name, body, headers, status, code) => {
      const answer = await startWith({ body, headers });

      expect([answer.status, answer.body['code']]).toEqual([status, code]);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
    });

    test('that is too large is refused, whether it says so or not, and the server goes on', async () => {
      const { url } = await world.serve('shortBodies');
      const large = JSON.stringify('x'.repeat(3_000_000));
      const chunks = (): ReadableStream<Uint8Array> => new Blob([large]).stream();

      const said = await send(`${url}/start/echo`, { method: 'POST', body: large, headers: json });
      const unsaid = await send(`${url}/start/echo`, {
        method: 'POST',
        body: chunks(),
        headers: json,
        ...({ duplex: 'half' } as object),
      });

      expect([said.status, unsaid.status]).toEqual([413, 413]);
      expect((await post(`${url}/start/echo`, 'x'.repeat(900))).status).toBe(202);
    });

    test('may be any JSON, with any keys', async () => {
      const body = '{"__proto__":{"a":1},"constructor":null,"":[null,1e400,"\\u0000\\ud800"],"a":1,"a":2}';

      const answer = await startWith({
        body,
        headers: { 'content-type': 'application/vnd.x+json', prefer: 'wait=20' },
      });

      expect([answer.status, answer.body['status']]).toEqual([200, 'succeeded']);
      expect(JSON.stringify(answer.body['output'])).toContain('"a":2');
      expect(Object.keys(answer.body['output'] ?? {})).toContain('__proto__');
    });
  });

  describe('an id', () => {
    test.each([
      '%00',
      'a%0Ab',
      'a%0D%0ASet-Cookie:%20x=1',
      '%E2%80%A8',
      '%ED%A0%80',
      '%zz',
      '%',
      'x'.repeat(600),
      '..%2f..',
    ])('%s that cannot be one is refused', async (id) => {
      const { url } = await world.serve('anybody');

      const answers = [
        await send(`${url}/runs/${id}`),
        await send(`${url}/runs/${id}/events`),
        await post(`${url}/runs/${id}/cancel`),
        await post(`${url}/runs/${id}/topics/approval`, { approved: true }),
        await post(`${url}/start/${id}`),
      ];

      for (const { status, headers } of answers) {
        expect([400, 404]).toContain(status);
        expect(headers.get('set-cookie')).toBeNull();
      }
    });
  });

  describe('a header', () => {
    test.each([['""'], ['"a", "b"'], ['a, b'], ['"open'], ['x'.repeat(300)], ['"a"b']])(
      'Idempotency-Key: %s is refused',
      async (key) => {
        const answer = await startWith({ body: '1', headers: { ...json, 'idempotency-key': key } });

        expect([answer.status, answer.body['code']]).toEqual([400, 'HEADER_INVALID']);
      },
    );

    test.each(['wait=-1', 'wait=soon', 'wait', ';;;,=', 'wait=99999999999', 'wait=\\"1'])(
      'Prefer: %s is ignored',
      async (prefer) => {
        const answer = await startWith({ body: '1', headers: { ...json, prefer } });

        expect(answer.status).toBe(202);
      },
    );
  });

  describe('a method', () => {
    test('that a route does not take is 405 with those that it takes', async () => {
      const { url } = await world.serve();
      const id = await start(url, 'echo', 1);

      const put = await send(runUrl(url, id), { method: 'PUT' });
      const get = await send(`${url}/start/echo`);

      expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
      expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST, OPTIONS']);
    });

    test('HEAD is GET without a body, and OPTIONS tells the methods', async () => {
      const { url } = await world.serve();
      const id = await start(url, 'approved');

      const [head, events] = [
        await send(runUrl(url, id), { method: 'HEAD' }),
        await send(runUrl(url, id, '/events'), { method: 'HEAD' }),
      ];
      const options = await send(runUrl(url, id, '/cancel'), { method: 'OPTIONS' });

      expect([head.status, head.headers.get('content-type')]).toEqual([200, 'application/json']);
      expect([events.status, events.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
      expect([options.status, options.headers.get('allow')]).toEqual([204, 'POST, OPTIONS']);
    });
  });

  describe('the server', () => {
    test(`answers ${looks} looks at runs, and loses nothing`, async () => {
      const { url, engine } = await world.serve('anybody');
      const id = await start(url, 'approved');
      let [answered, next] = [0, 0];
      const look = async (): Promise<void> => {
        while (next < looks) {
          next += 1;
          const { status, body } = await send(runUrl(url, id));
          if (status === 200 && body['id'] === id) answered += 1;
        }
      };

      await Promise.all(Array.from({ length: 200 }, look));

      await post(runUrl(url, id, '/topics/approval'), { approved: true });
      expect(answered).toBe(looks);
      expect(await engine.getHandle(id).result()).toEqual({ approved: true });
    }, 120_000);

    test('survives clients that leave in the middle of what they send', async () => {
      const { url } = await world.serve();
      const { port, pathname } = new URL(url);
      const half = `POST ${pathname}/start/echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"a"`;
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          const socket = connect(Number(port), '127.0.0.1');
          await new Promise<void>((resolve) => socket.write(half, () => resolve()));
          socket.resetAndDestroy();
        }),
      );

      expect((await post(`${url}/start/echo`, 1, { prefer: 'wait=20' })).body['output']).toBe(1);
    });
  });
}

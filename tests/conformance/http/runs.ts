// Looking at runs, sending them messages, cancelling them; methods.

import { describe, expect, test } from '@jest/globals';
import { signToken } from '@perdure/http';
import { echo, secret, tickSecret } from './application.js';
import { post, runUrl, send, start } from './client.js';
import type { HttpWorld } from './world.js';

const soon = (): Date => new Date(Date.now() + 60_000);

/** How runs are looked at and steered. */
export function runConformance(world: HttpWorld): void {
  describe('a run', () => {
    test('is shown as it stands, and waited for if that is preferred', async () => {
      const { url, engine } = await world.serve('anybody');
      const id = await start(url, 'approved');
      const before = await send(runUrl(url, id));
      const waiting = send(runUrl(url, id), { headers: { prefer: 'wait=20' } });
      await post(runUrl(url, id, '/topics/approval'), { approved: true });

      const { status, body } = await waiting;

      expect(before.body).toMatchObject({ id, workflow: 'approved', isFinal: false });
      expect(before.headers.get('retry-after')).toBe('1');
      expect([status, body['status'], body['output']]).toEqual([200, 'succeeded', { approved: true }]);
      expect(await engine.getHandle(id).result()).toEqual({ approved: true });
    });

    test('whose id has any characters is found under the escaped id', async () => {
      const { url, engine } = await world.serve();
      const id = 'a/b?c=d#e%20 é';
      await engine.startWorkflow(echo, 1, { id });

      expect((await send(runUrl(url, id))).body['id']).toBe(id);
    });

    test('can be cancelled if its workflow says so, again and again', async () => {
      const { url } = await world.serve('anybody');
      const [id, other] = [await start(url, 'approved'), await start(url, 'echo', 1)];

      const first = await post(runUrl(url, id, '/cancel'));
      const again = await post(runUrl(url, id, '/cancel'));
      const refused = await post(runUrl(url, other, '/cancel'));

      expect([first.status, first.body['status'], again.body['status']]).toEqual([200, 'cancelled', 'cancelled']);
      expect(refused.status).toBe(404);
    });

    test('that is over takes no message', async () => {
      const { url } = await world.serve('anybody');
      const id = await start(url, 'approved');
      await post(runUrl(url, id, '/cancel'));

      const { status, body } = await post(runUrl(url, id, '/topics/approval'), { approved: true });

      expect([status, body['code']]).toEqual([409, 'RUN_STATE_CONFLICT']);
    });

    test('gets a message with a key once, and none that does not fit', async () => {
      const { url } = await world.serve('anybody');
      const id = await start(url, 'approved');
      const topic = runUrl(url, id, '/topics/approval');
      const bad = await post(topic, { approved: 'perhaps' });
      const key = { 'idempotency-key': '"m1"' };
      const sent = await Promise.all([1, 2, 3].map(() => post(topic, { approved: false }, key)));

      const { body } = await send(runUrl(url, id), { headers: { prefer: 'wait=20' } });

      expect(bad).toMatchObject({ status: 422, body: { errors: [{ pointer: '#/approved' }] } });
      expect(sent.map(({ status }) => status).filter((status) => status === 202).length).toBeGreaterThan(0);
      expect(body['output']).toEqual({ approved: false });
    });

    test('is refused a key that another message has used', async () => {
      const { url } = await world.serve('anybody');
      const topic = runUrl(url, await start(url, 'approved'), '/topics/approval');
      const key = { 'idempotency-key': '"m2"' };
      const first = await post(topic, { approved: false }, key);

      const other = await post(topic, { approved: true }, key);
      const again = await post(topic, { approved: false }, key);

      expect([first.status, again.status]).toEqual([202, 202]);
      expect([other.status, other.body['code']]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    });
  });

  describe('a signed token', () => {
    test('lets its bearer do one thing to one run, in the URL or as a bearer token', async () => {
      const { url } = await world.serve();
      const [id, other] = [await start(url, 'approved'), await start(url, 'approved')];
      const token = signToken({ secret, run: id, action: 'send', topic: 'approval', expiresAt: soon() });
      const bearer = { authorization: `Bearer ${token}` };

      const elsewhere = await post(runUrl(url, other, `/topics/approval?token=${token}`), { approved: true });
      const cancel = await post(runUrl(url, id, '/cancel'), undefined, bearer);
      const asBearer = await post(runUrl(url, id, '/topics/approval'), { approved: true }, bearer);
      const again = await post(runUrl(url, other, '/topics/approval'), { approved: true }, bearer);

      expect([elsewhere.status, cancel.status, asBearer.status, again.status]).toEqual([401, 401, 202, 401]);
    });

    test('that is forged, expired or of another secret is refused', async () => {
      const { url } = await world.serve();
      const id = await start(url, 'approved');
      const scope = { run: id, action: 'send', topic: 'approval' } as const;
      const good = signToken({ ...scope, secret, expiresAt: soon() });
      const late = `${(Math.floor(Date.now() / 1_000) + 10 ** 6).toString(36)}.${good.split('.')[1]}`;
      const tokens = [
        signToken({ ...scope, secret, expiresAt: new Date(Date.now() - 1_000) }),
        signToken({ ...scope, secret: secret.toUpperCase(), expiresAt: soon() }),
        signToken({ ...scope, topic: 'unlisted', secret, expiresAt: soon() }),
        late,
        `${good.slice(0, -1)}${good.endsWith('A') ? 'B' : 'A'}`,
        good.slice(0, 20),
        'x',
        '',
      ];

      const answers = await Promise.all(
        tokens.map((token) => post(runUrl(url, id, `/topics/approval?token=${token}`), { approved: true })),
      );

      expect(answers.map(({ status }) => status)).toEqual(tokens.map(() => 401));
      expect((await send(runUrl(url, id))).body['isFinal']).toBe(false);
    });
  });

  describe('a tick', () => {
    test('runs what is due, for whoever knows its secret', async () => {
      const { url } = await world.serve('ticks');
      const id = await start(url, 'echo', 7);
      const before = (await send(runUrl(url, id))).body['status'];

      const { status, body } = await send(`${url}/tick`, { headers: { authorization: `Bearer ${tickSecret}` } });

      expect([before, status, body]).toEqual(['queued', 200, { isIdle: true }]);
      expect((await send(runUrl(url, id))).body).toMatchObject({ status: 'succeeded', output: 7 });
    });

    test('is refused without the secret, and unknown where none is set', async () => {
      const [{ url }, without] = [await world.serve('ticks'), await world.serve()];

      const answers = [
        await send(`${url}/tick`),
        await send(`${url}/tick`, { method: 'POST', headers: { authorization: 'Bearer a guess of the secret' } }),
        await send(`${without.url}/tick`, { headers: { authorization: `Bearer ${tickSecret}` } }),
      ];

      expect(answers.map(({ status }) => status)).toEqual([401, 401, 404]);
    });
  });
}

// What is reachable, and for whom.

import { describe, expect, test } from '@jest/globals';
import { echo, hidden, signWebhook, unlisted } from './application.js';
import { post, runUrl, send, start } from './client.js';
import type { HttpWorld } from './world.js';

/** What is kept from whom. */
export function guardConformance(world: HttpWorld): void {
  describe('nothing is reachable that is not named', () => {
    test('neither a workflow, nor its runs, nor a topic', async () => {
      const { url, engine } = await world.serve('anybody');
      const secretRun = await engine.startWorkflow(hidden);
      const id = await start(url, 'approved');

      const answers = [
        await post(`${url}/start/hidden`),
        await post(`${url}/start/nowhere`),
        await send(runUrl(url, secretRun.id)),
        await send(runUrl(url, secretRun.id, '/events')),
        await post(runUrl(url, secretRun.id, '/cancel')),
        await post(runUrl(url, id, `/topics/${unlisted.name}`), 1),
        await send(url),
        await send(`${url}/`),
        await send(`${url}/runs`),
        await send(`${url}/runs/${id}/steps`),
      ];

      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 404));
      expect(await secretRun.result()).toBe('nobody is to know');
    });

    test('not even a start, where the runs are only to be looked at', async () => {
      const { url, engine } = await world.serve('noStarts');
      const run = await engine.startWorkflow(echo, 1);

      expect((await post(`${url}/start/echo`, 1)).status).toBe(404);
      expect((await send(runUrl(url, run.id))).status).toBe(200);
    });

    test('without a hook, nobody sends or cancels without a token', async () => {
      const { url } = await world.serve();
      const id = await start(url, 'approved');

      const sent = await post(runUrl(url, id, '/topics/approval'), { approved: true });
      const cancelled = await post(runUrl(url, id, '/cancel'));

      expect([sent.status, cancelled.status]).toEqual([401, 401]);
      expect(sent.headers.get('www-authenticate')).toBe('Bearer');
    });
  });

  describe('the hook', () => {
    test('is asked for every route, with the run and the raw body', async () => {
      const { url } = await world.serve('talkativeHook');
      const id = await start(url, 'approved', null);
      await send(runUrl(url, id));
      await post(runUrl(url, id, '/topics/approval'), { approved: true });
      await post(runUrl(url, id, '/cancel'));

      const { body } = await post(`${url}/start/echo`, null, { 'x-tell': 'what it was asked' });

      expect(body['asked']).toEqual([
        ['start', 'approved', null, null, 'null'],
        ['read', 'approved', 'approved', null, ''],
        ['send', 'approved', 'approved', 'approval', '{"approved":true}'],
        ['cancel', 'approved', 'approved', null, ''],
      ]);
    });

    test('decides between 401, 403 and an answer of its own', async () => {
      const { url } = await world.serve('users');
      const as = (user: string): RequestInit => ({ method: 'POST', headers: { 'x-user': user } });

      const own = await fetch(`${url}/start/echo`, as('ann'));

      expect((await post(`${url}/start/echo`)).body['code']).toBe('REQUEST_UNAUTHENTICATED');
      expect((await send(`${url}/start/echo`, as('bob'))).body['code']).toBe('REQUEST_FORBIDDEN');
      expect([own.status, await own.text()]).toEqual([429, 'come back later']);
    });

    test('that refuses a run is not heard to: the answer is that of an unknown run', async () => {
      const { url } = await world.serve('hiddenRuns');
      const [strict, id] = [await world.serve('nobody'), await start(url, 'approved')];
      const unknown = id.replaceAll(/[0-9a-f]/g, '0');
      const both = async (base: string): Promise<unknown[]> => {
        const answers = [await send(runUrl(base, id)), await send(runUrl(base, unknown))];
        return answers.map(({ status, body }) => [status, JSON.stringify(body).replaceAll(id, unknown)]);
      };

      const [[known, missing], [refused, alsoRefused]] = [await both(url), await both(strict.url)];

      expect(known).toEqual(missing);
      expect(known).toEqual([404, expect.stringContaining('RUN_NOT_FOUND')]);
      expect(refused).toEqual(alsoRefused);
      expect(refused).toEqual([403, expect.stringContaining('REQUEST_FORBIDDEN')]);
    });

    test('can verify the signature of a webhook by the bytes that came', async () => {
      const { url } = await world.serve('webhook');
      const id = await start(url, 'approved');
      const body = '{ "approved":\n\ttrue }';
      const headers = { 'content-type': 'application/json', 'x-signature': signWebhook(body) };
      const topic = runUrl(url, id, '/topics/approval');

      const changed = await send(topic, { method: 'POST', body: '{"approved":true}', headers });
      const right = await send(topic, { method: 'POST', body, headers });

      expect([changed.status, right.status]).toEqual([403, 202]);
    });
  });

  describe('a page of another site', () => {
    test.each([
      [{ 'sec-fetch-site': 'cross-site' }, 403],
      [{ 'sec-fetch-site': 'same-site', origin: 'https://other.example' }, 403],
      [{ origin: 'https://other.example' }, 403],
      [{ origin: 'null' }, 403],
      [{ 'sec-fetch-site': 'cross-site', origin: 'https://shop.example' }, 202],
      [{ 'sec-fetch-site': 'same-origin', origin: 'https://proxied.example' }, 202],
      [{ 'sec-fetch-site': 'none' }, 202],
      [{}, 202],
    ])('that says %j is answered with %i when it starts a run', async (headers, status) => {
      const { url } = await world.serve('otherOrigins');

      // fetch adds these headers by itself, and lets nobody set them.
      expect(await rawPost(`${url}/start/echo`, headers)).toBe(status);
    });

    test('of the origin that older browsers name may start runs', async () => {
      const { url } = await world.serve();

      expect(await rawPost(`${url}/start/echo`, { origin: new URL(url).origin })).toBe(202);
    });
  });
}

async function rawPost(
  url: string,
  headers: Readonly<Record<string, string | undefined>>,
): Promise<number | undefined> {
  const { request } = await import('node:http');
  const given = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', headers: Object.fromEntries(given) as Record<string, string> });
    sent.once('response', (response) => resolve(response.resume().statusCode));
    sent.once('error', reject);
    sent.end();
  });
}

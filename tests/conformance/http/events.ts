// Server-sent events: what a run tells, to a real EventSource, across cut connections and restarted servers.

import { describe, expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { EventSource } from 'eventsource';
import { approved } from './application.js';
import { post, runUrl, send, start } from './client.js';
import type { HttpWorld } from './world.js';

interface Follower {
  readonly seen: string[];
  readonly source: EventSource;
}

/** Collects what an EventSource is told, without the states that a run merely passes. */
function follow(url: string): Follower {
  const source = new EventSource(url);
  const seen: string[] = [];
  for (const kind of ['status', 'event', 'stream', 'close']) {
    source.addEventListener(kind, ({ data }: { readonly data: string }) => {
      const facts: unknown = JSON.parse(data);
      if (kind !== 'status') seen.push(`${kind} ${JSON.stringify(facts)}`);
      else if (data.includes('"isFinal":true')) seen.push(`end ${JSON.stringify(facts)}`);
    });
  }
  return { seen, source };
}

const beforeApproval = ['event {"name":"progress","value":1}', 'stream {"name":"lines","index":0,"value":"first"}'];
const afterApproval = [
  'stream {"name":"lines","index":1,"value":"second"}',
  'event {"name":"progress","value":2}',
  'end {"status":"succeeded","isFinal":true,"output":{"approved":true}}',
];
const all = [...beforeApproval, ...afterApproval];

/** How events are told. */
export function eventConformance(world: HttpWorld): void {
  const seenAll = async ({ seen, source }: Follower, wanted: readonly string[]): Promise<void> => {
    const what = `an EventSource to see ${wanted.length} events`;
    await waitFor(() => seen.length, { what, until: (count) => count >= wanted.length, timeoutMs: 20_000 });
    expect(seen).toEqual(wanted);
    expect(source.readyState).not.toBe(EventSource.CLOSED);
  };

  describe('events', () => {
    test('are told as they come, and an EventSource stops by itself at the end of the run', async () => {
      const { url } = await world.serve('anybody');
      const id = await start(url, 'approved');
      const follower = follow(runUrl(url, id, '/events'));
      await seenAll(follower, beforeApproval);
      await post(runUrl(url, id, '/topics/approval'), { approved: true });

      await seenAll(follower, all);

      await waitFor(() => follower.source.readyState, {
        what: 'the EventSource to stop',
        until: (state) => state === EventSource.CLOSED,
      });
      expect(follower.seen).toEqual(all);
    });

    test('go on without loss or repeat after the server was restarted', async () => {
      const first = await world.serve('anybody');
      const id = await start(first.url, 'approved');
      const follower = follow(runUrl(first.url, id, '/events'));
      await seenAll(follower, beforeApproval);
      const restarted = await first.restart();
      await post(runUrl(restarted.url, id, '/topics/approval'), { approved: true });

      await seenAll(follower, all);

      expect(follower.source.url).toBe(runUrl(restarted.url, id, '/events'));
      follower.source.close();
    });

    test('go on behind Last-Event-ID wherever the connection was cut', async () => {
      const { url, engine } = await world.serve('anybody');
      const run = await engine.startWorkflow(approved);
      await post(runUrl(url, run.id, '/topics/approval'), { approved: true });
      await run.result();
      const events = runUrl(url, run.id, '/events');
      const whole = await (await fetch(events)).text();
      const ids = [...whole.matchAll(/^id: (.*)$/gm)].map(([, id = '']) => id);

      const rests = await Promise.all(
        ids.map(async (id) => (await fetch(events, { headers: { 'last-event-id': id } })).text()),
      );

      const after = (id: string): string => whole.slice(whole.indexOf('\n\n', whole.indexOf(`id: ${id}\n`)) + 2);
      expect(ids.length).toBeGreaterThanOrEqual(all.length);
      expect(rests.map((rest) => rest.replace('retry: 1000\n\n', ''))).toEqual(ids.map(after));
    });

    test('come with headers that keep proxies from collecting them, and comments that keep them open', async () => {
      const { url } = await world.serve('frequentComments');
      const id = await start(url, 'approved');
      const ending = new AbortController();

      const response = await fetch(runUrl(url, id, '/events'), { signal: ending.signal });
      let text = '';
      for await (const part of response.body ?? []) {
        text += Buffer.from(part).toString();
        if (text.split('\n:\n').length > 3) break;
      }

      ending.abort();
      expect(text.startsWith('retry: 1000\n\nid: ')).toBe(true);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-type': 'text/event-stream',
        'cache-control': 'no-cache, no-transform',
        'x-accel-buffering': 'no',
      });
    });

    test('of a run that was told to its end are 204, and a false place is 400', async () => {
      const { url, engine } = await world.serve('anybody');
      const id = await start(url, 'echo', 1);
      await engine.getHandle(id).result();
      const events = runUrl(url, id, '/events');
      const last = [...(await (await fetch(events)).text()).matchAll(/^id: (.*)$/gm)].at(-1)?.[1] ?? '';

      const done = await send(events, { headers: { 'last-event-id': last } });
      const wrong = await send(events, { headers: { 'last-event-id': 'nonsense' } });

      expect([done.status, wrong.status]).toEqual([204, 400]);
    });

    test('cost nothing once their readers have gone', async () => {
      const { url, engine } = await world.serve('anybody');
      const id = await start(url, 'approved');
      const ending = new AbortController();
      const readers = await Promise.all(
        Array.from({ length: 50 }, () => fetch(runUrl(url, id, '/events'), { signal: ending.signal })),
      );
      expect(readers.map(({ status }) => status)).toEqual(readers.map(() => 200));

      ending.abort();
      await Promise.allSettled(readers.map((reader) => reader.text()));

      // An engine that had readers left would not close within its time.
      await post(runUrl(url, id, '/topics/approval'), { approved: true });
      expect(await engine.getHandle(id).result()).toEqual({ approved: true });
    });
  });
}

// Server-sent events, as the standard has them, however the network cuts them up.

import { expect, test } from '@jest/globals';
import { readEvents, type ServerSentEvent } from '../src/client/event-stream.js';

test.each<[string, string, Partial<ServerSentEvent>[]]>([
  ['an event with all fields', 'id: 7\nevent: status\ndata: {}\n\n', [{ event: 'status', data: '{}', id: '7' }]],
  ['lines of data are joined', 'data: a\ndata: b\n\n', [{ event: 'message', data: 'a\nb' }]],
  ['the space behind the colon may be missing', 'data:a\n\n', [{ data: 'a' }]],
  ['of two spaces one is kept', 'data:  a\n\n', [{ data: ' a' }]],
  ['comments are nothing', ': hello\n\ndata: a\n\n', [{ data: 'a' }]],
  ['an event without data is none', 'event: status\n\ndata: a\n\n', [{ event: 'message', data: 'a' }]],
  ['an event that is cut off is none', 'data: a\n\ndata: b', [{ data: 'a' }]],
  ['the last id stands', 'id: 1\ndata: a\n\ndata: b\n\n', [{ id: '1' }, { data: 'b', id: '1' }]],
  ['carriage returns end lines', 'data: a\r\rdata: b\r\n\r\n', [{ data: 'a' }, { data: 'b' }]],
  ['umlauts and emoji survive', 'data: ä🚀\n\n', [{ data: 'ä🚀' }]],
])('%s, at every cut', async (_what, text, expected) => {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at <= bytes.length; at += 1) {
    const events = await eventsOf([bytes.slice(0, at), bytes.slice(at)]);

    expect(events).toEqual(expected.map((each) => expect.objectContaining(each)));
  }
});

test('the pause that a server asks for is told', async () => {
  const portions = await portionsOf([new TextEncoder().encode('retry: 1500\n\nretry: soon\n\n')]);

  expect(portions.map(({ retryMs }) => retryMs)).toEqual([1500]);
});

async function eventsOf(parts: Uint8Array[]): Promise<ServerSentEvent[]> {
  return (await portionsOf(parts)).flatMap(({ events }) => events);
}

async function portionsOf(
  parts: Uint8Array[],
): Promise<{ events: readonly ServerSentEvent[]; retryMs: number | undefined }[]> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  });
  const portions = [];
  for await (const portion of readEvents(body)) portions.push(portion);
  return portions;
}

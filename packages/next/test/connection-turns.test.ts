// Streams that take turns on too few connections.

import { getEventListeners } from 'node:events';
import { expect, jest, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { ConnectionTurns, turnsOfPage } from '../src/client/connection-turns.js';
import { LiveRun, type Ask } from '../src/client/run-store.js';

const forEver = new AbortController().signal;

test('whoever waits is next once a connection is given back, in the order of their coming', async () => {
  const turns = new ConnectionTurns({ connections: () => 1, turnMs: 60_000 });
  const order: string[] = [];
  const first = await turns.take(forEver);
  const others = ['second', 'third'].map(async (name) => {
    const turn = await turns.take(forEver);
    order.push(name);
    turn.end();
  });

  expect(order).toEqual([]);
  first.end();

  await Promise.all(others);
  expect(order).toEqual(['second', 'third']);
});

test('a turn ends when somebody waits, and not before something was heard', async () => {
  const turns = new ConnectionTurns({ connections: () => 1, turnMs: 0 });
  const turn = await turns.take(forEver);
  const next = turns.take(forEver);
  await new Promise((resolve) => setTimeout(resolve));
  const before = turn.signal.aborted;

  turn.heard();
  await waitFor(() => turn.signal.aborted, { what: 'the end of the turn' });
  turn.end();

  expect(before).toBe(false);
  expect((await next).signal.aborted).toBe(false);
});

test('while nobody waits, a turn goes on', async () => {
  const turns = new ConnectionTurns({ connections: () => 2, turnMs: 0 });
  const [one, other] = [await turns.take(forEver), await turns.take(forEver)];
  one.heard();
  other.heard();

  await new Promise((resolve) => setTimeout(resolve));

  expect([one.signal.aborted, other.signal.aborted]).toEqual([false, false]);
});

test("who leaves the line, or a connection, is in nobody's way", async () => {
  const turns = new ConnectionTurns({ connections: () => 1, turnMs: 60_000 });
  const [holding, waiting] = [new AbortController(), new AbortController()];
  await turns.take(holding.signal);
  const [left, next] = [turns.take(waiting.signal), turns.take(forEver)];

  waiting.abort();
  holding.abort();

  expect((await left).signal.aborted).toBe(true);
  expect((await next).signal.aborted).toBe(false);
  expect((await turns.take(waiting.signal)).signal.aborted).toBe(true);
});

test.each([
  ['does not tell how it was loaded, as jsdom', undefined, 6],
  ['was loaded over HTTP/2', [{ nextHopProtocol: 'h2' }], 6],
  ['was loaded over HTTP/1.1', [{ nextHopProtocol: 'http/1.1' }], 4],
])('a page that %s', async (_what, navigation, connections) => {
  const page = { now: () => 0, ...(navigation && { getEntriesByType: () => navigation }) };
  const replaced = jest.replaceProperty(globalThis, 'performance', page as unknown as typeof performance);
  const leaving = new AbortController();
  let admitted = 0;
  const takers = Array.from({ length: 6 }, () => turnsOfPage.take(leaving.signal).then(() => (admitted += 1)));
  try {
    await new Promise((resolve) => setImmediate(resolve));

    expect(admitted).toBe(connections);
  } finally {
    leaving.abort();
    await Promise.allSettled(takers);
    replaced.restore();
  }
});

test('ten runs on two connections are all told everything once, and none seems to be away', async () => {
  const server = new Server();
  const turns = new ConnectionTurns({ connections: () => 2, turnMs: 20 });
  const runs = Array.from({ length: 10 }, (_, index) => new LiveRun(server.ask, `run-${index}`, turns));
  const connections = new Set<string>();
  for (const run of runs) run.subscribe(() => connections.add(run.getState().connection));
  await waitFor(() => runs.every((run) => run.getState().streams['log']?.length === 1), { what: 'the first words' });

  server.goOn();

  await waitFor(() => runs.every((run) => run.getState().isFinal), { what: 'the ends' });
  expect(runs.map((run) => run.getState().streams['log'])).toEqual(runs.map(() => ['begun', 'done']));
  expect([...connections].toSorted()).toEqual(['ended', 'live']);
  expect(server.mostAtOnce).toBe(2);
});

test('a server that cuts the stream again and again is asked again, and leaves no listeners behind', async () => {
  let [asked, listeners] = [0, 0];
  const turns = new ConnectionTurns({ connections: () => 1, turnMs: 0 });
  const take = turns.take.bind(turns);
  turns.take = (signal) => {
    listeners = getEventListeners(signal, 'abort').length;
    return take(signal);
  };
  const run = new LiveRun(async () => ((asked += 1), new Response('retry: 1\n\n')), 'cut', turns);

  const leave = run.subscribe(() => undefined);
  await waitFor(() => asked > 10, { what: 'the next questions' });
  leave();

  expect(listeners).toBe(0);
});

/** Every run has begun, and is done once the server goes on. */
class Server {
  mostAtOnce = 0;
  #open = 0;
  #goesOn = new AbortController();

  goOn(): void {
    this.#goesOn.abort();
  }

  readonly ask: Ask = async (_path, { headers, signal }) => {
    let from = Number(headers['last-event-id'] ?? 0);
    const tell = (controller: ReadableStreamDefaultController<Uint8Array>, to: number): void => {
      for (; from < to; from += 1) controller.enqueue(Buffer.from(told[from] ?? ''));
    };
    this.#open += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#open);
    let isOpen = true;
    const end = (act: () => void): void => {
      if (!isOpen) return;
      [isOpen, this.#open] = [false, this.#open - 1];
      act();
    };
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(Buffer.from('retry: 1000\n\n'));
        tell(controller, 1);
        const finish = (): void => {
          tell(controller, told.length);
          controller.close();
        };
        if (this.#goesOn.signal.aborted) return end(finish);
        this.#goesOn.signal.addEventListener('abort', () => end(finish));
        signal?.addEventListener('abort', () => end(() => controller.error(new Error('aborted'))));
      },
    });
    return new Response(body);
  };
}

const told = [
  'id: 1\nevent: stream\ndata: {"name":"log","index":0,"value":"begun"}\n\n',
  'id: 2\nevent: stream\ndata: {"name":"log","index":1,"value":"done"}\n\n',
  'id: 3\nevent: status\ndata: {"status":"succeeded","isFinal":true}\n\n',
];

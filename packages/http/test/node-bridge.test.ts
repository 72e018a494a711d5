// What arrives over a socket and no fetch client would send, and what becomes of a server and its streams then.

import { createServer, type RequestListener, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import type { HttpHandler } from '../src/index.js';
import { nodeListener, requestFromNode, sendToNode } from '../src/index.js';

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return port;
}

/** Sends these lines, and resolves to all that comes back. */
function exchange(port: number, lines: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (part: Buffer) => (text += part.toString()));
    socket.once('error', reject).once('end', () => resolve(text));
    socket.write(`${[...lines, 'connection: close'].join('\r\n')}\r\n\r\n`);
  });
}

function handlerOf(answer: (request: Request) => Response | Promise<Response>): HttpHandler {
  return Object.assign(async (request: Request) => answer(request), { close: async () => undefined });
}

const echo = handlerOf((request) => {
  const { pathname, search } = new URL(request.url);
  return Response.json([request.method, `${pathname}${search}`]);
});

test.each([
  ['a method that fetch forbids', 'TRACE /a HTTP/1.1', 'host: x', '"/a"'],
  ['credentials in the host', 'GET /a HTTP/1.1', 'host: user:word@x', '"/a"'],
  ['a path in the host', 'GET /a HTTP/1.1', 'host: x/perdure/tick?', '"/a"'],
  ['a fragment in the host', 'GET /a HTTP/1.1', 'host: x#', '"/a"'],
  ['no host that could be', 'GET /a HTTP/1.1', 'host: ::::', '"/a"'],
  ['a URL, as to a proxy', 'GET http://x/a?b=1 HTTP/1.1', 'host: x', '"/a?b=1"'],
])('a request with %s has the path of its request line', async (_name, line, host, path) => {
  const port = await listen(nodeListener(echo));

  expect(await exchange(port, [line, host])).toContain(path);
});

test.each(['/a/../b', '/a/./b', '/a/%2e%2E/b', '/a/.%2e', '/a\\..\\b'])(
  'the path %s names nothing else than whoever looked at it before has seen',
  async (path) => {
    const port = await listen(nodeListener(echo));

    const answer = await exchange(port, [`GET ${path} HTTP/1.1`, 'host: x']);

    expect(answer).toMatch(/"\/a[/%]/);
  },
);

test('a handler or principal that throws is answered with 500, and the server goes on', async () => {
  const broken = handlerOf(() => Promise.reject(new Error('a host name')));
  const ports = [
    await listen(nodeListener(broken)),
    await listen(
      nodeListener(echo, () => {
        throw new Error('a host name');
      }),
    ),
  ];

  const answers = await Promise.all(ports.map((port) => exchange(port, ['GET /a HTTP/1.1', 'host: x'])));

  for (const answer of answers) {
    expect(answer).toContain('500 Internal Server Error');
    expect(answer).not.toContain('a host name');
  }
});

test('a stream is cancelled whose client has gone before it was opened', async () => {
  const seen = { cancelled: false };
  const stream = new ReadableStream({ cancel: () => void (seen.cancelled = true) });
  const port = await listen((_message, target) => {
    target.once('close', () => {
      const response = new Response(stream, { headers: { 'content-type': 'text/event-stream' } });
      void sendToNode(response, target);
    });
  });
  const socket = connect(port, '127.0.0.1');
  await new Promise<void>((resolve) => socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n', () => resolve()));

  socket.resetAndDestroy();

  expect(await waitFor(() => seen.cancelled, { what: 'the stream to be cancelled' })).toBe(true);
});

test('what somebody else has answered is left alone', async () => {
  const port = await listen((message, target) => {
    target.end('answered');
    void sendToNode(Response.json(requestFromNode(message).url), target);
  });

  expect(await exchange(port, ['GET / HTTP/1.1', 'host: x'])).toMatch(/answered$/);
});

test('cookies and Vary of earlier middleware stay beside those of the answer', async () => {
  const port = await listen((_message, target) => {
    target.setHeader('set-cookie', 'language=de').setHeader('vary', 'Origin');
    void sendToNode(new Response('', { headers: { 'set-cookie': 'seen=1', vary: 'Accept' } }), target);
  });

  const answer = (await exchange(port, ['GET / HTTP/1.1', 'host: x'])).toLowerCase();

  expect(answer).toContain('set-cookie: language=de\r\nset-cookie: seen=1');
  expect(answer).toMatch(/vary: origin(, |\r\nvary: )accept/);
});

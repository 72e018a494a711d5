// The protocol on the routes of Next, called as its two routers call them. With Next itself around them: npm run test:matrix.

import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { requestFromNode, sendToNode } from '@perdure/http';
import { definePerdure, perdureApiRoute, perdureRoutes, type Perdure, type RouteOptions } from '@perdure/next';
import { httpConformance, serveHere, type Serve } from './http-conformance.js';

type Listener = (message: IncomingMessage, target: ServerResponse) => Promise<void>;

httpConformance({
  name: "Next's App Router",
  serve: serveWith((perdure, options) => {
    const routes = perdureRoutes(perdure, options);
    return async (message, target) => {
      const gone = new AbortController();
      target.once('close', () => gone.abort());
      const request = requestFromNode(message, { signal: gone.signal });
      const handle = Object.entries(routes).find(([method]) => method === request.method)?.[1];
      // Next itself refuses the methods that a route file does not export.
      if (handle === undefined) return sendToNode(new Response(null, { status: 405 }), target);
      await sendToNode(await handle(request, { params: Promise.resolve({ path: pathOf(message) }) }), target);
    };
  }),
});

httpConformance({
  name: "Next's Pages Router",
  serve: serveWith((perdure, options) => {
    const route = perdureApiRoute(perdure, options);
    return (message, target) => route(Object.assign(message, { query: { path: pathOf(message) } }), target);
  }),
});

function serveWith(listenerOf: (perdure: Perdure, options: RouteOptions) => Listener): Serve {
  return serveHere(async ({ engineOptions, httpOptions, port }) => {
    const perdure = definePerdure({ ...engineOptions, name: randomUUID(), shutdownTimeout: '5s' });
    await perdure.boot();
    const engine = await perdure.engine();
    const listener = listenerOf(perdure, httpOptions);
    const server = createServer((message, target) => void listener(message, target));
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const { port: actual } = server.address() as AddressInfo;
    const close = async (): Promise<void> => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await Promise.all([closed, perdure.close()]);
    };
    return { url: `http://127.0.0.1:${actual}${httpOptions.basePath ?? ''}`, engine, close };
  });
}

function pathOf({ url = '/' }: IncomingMessage): string[] {
  return new URL(url, 'http://localhost').pathname.split('/').slice(2);
}

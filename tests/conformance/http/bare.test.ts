// The protocol without a framework: the handler behind node:http.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHttpHandler, nodeListener } from '@perdure/http';
import { createEngine } from 'perdure';
import { httpConformance, serveHere } from './http-conformance.js';

httpConformance({
  name: 'node:http',
  looks: 10_000,
  serve: serveHere(async ({ engineOptions, httpOptions, port }) => {
    const engine = await createEngine(engineOptions).launch();
    const handler = createHttpHandler(engine, httpOptions);
    const server = createServer(nodeListener(handler));
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const { port: actual } = server.address() as AddressInfo;
    const close = async (): Promise<void> => {
      await handler.close();
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
      await engine.close({ timeout: '5s' });
    };
    return { url: `http://127.0.0.1:${actual}${httpOptions.basePath ?? ''}`, engine, close };
  }),
});

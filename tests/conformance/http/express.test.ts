// The protocol on Express, both versions, before and behind body parsers.

import type { Server } from 'node:http';
import { perdure, shutDown } from '@perdure/express';
import express5 from 'express';
import express4 from 'express4';
import { createEngine } from 'perdure';
import { httpConformance, serveHere } from './http-conformance.js';

const versions = [
  { name: 'Express 5', express: express5 },
  { name: 'Express 4', express: express4 },
] as const;

for (const { name, express } of versions) {
  httpConformance({
    name,
    serve: serveHere(async ({ engineOptions, httpOptions, port }) => {
      const engine = await createEngine(engineOptions).launch();
      const { basePath = '/', ...options } = httpOptions;
      const durable = perdure(engine, { ...options, path: `/${basePath.slice(1)}` });
      const app = express();
      app.use(durable);
      const server = await new Promise<Server>((resolve) => {
        const listening = app.listen(port, '127.0.0.1', () => resolve(listening));
      });
      const address = server.address();
      const actual = typeof address === 'object' && address !== null ? address.port : port;
      const close = async (): Promise<void> => {
        const closed = shutDown(server, durable, { timeout: '5s' });
        server.closeAllConnections();
        await closed;
      };
      return { url: `http://127.0.0.1:${actual}${basePath}`, engine, close };
    }),
  });
}

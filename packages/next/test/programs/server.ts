// A server that ends as Next's does: its own listener closes it, waits for what is open, and exits with 143. Prints {"type":"working"} when its
// one run is inside a step, which takes as long as STEP_MS says.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runStep, silentLogger, sleep, workflow } from 'perdure';
import { definePerdure, perdureApiRoute } from '../../src/index.js';

const say = (message: object): void => console.log(JSON.stringify(message));

const work = workflow('work', async () => {
  await runStep('long step', async () => {
    say({ type: 'working' });
    await new Promise((resolve) => setTimeout(resolve, Number(process.env['STEP_MS'])));
  });
  await sleep('1 day');
});

const perdure = definePerdure({
  database: process.env['DATABASE_URL'],
  workflows: [work],
  logger: silentLogger,
  lease: '1s',
});
const route = perdureApiRoute(perdure, { expose: [work] });
const server = createServer((request, response) => {
  const path = (request.url ?? '').split('/').slice(2);
  void route(Object.assign(request, { query: { path } }), response);
});
if (process.env['OTHER_LISTENER'] === 'yes') {
  process.on('SIGTERM', () => server.close(() => process.exit(143)));
}
await perdure.boot();
if (process.env['OTHER_LISTENER'] === 'yes') process.prependListener('SIGTERM', () => say({ type: 'told to end' }));
server.listen(0, '127.0.0.1', () => say({ type: 'listening', port: (server.address() as AddressInfo).port }));
const run = await perdure.startWorkflow(work, undefined, { id: process.env['RUN_ID'] ?? 'work' });
say({ type: 'started', id: run.id });

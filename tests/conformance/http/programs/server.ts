// A server to kill: node:http, the handler, and a run that tells how far it is. Arguments: database, port.

import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { createHttpHandler, nodeListener } from '@perdure/http';
import { createEngine, event, runStep, setEvent, silentLogger, workflow } from 'perdure';

const progress = event<number>('progress');
const job = workflow('job', async () => {
  for (let turn = 0; turn < 10; turn++) {
    await setEvent(progress, turn);
    await runStep('work', () => delay(100));
  }
  return 'done';
});

const [, , database, port] = process.argv;
const engine = createEngine({ database, workflows: [job], lease: '1s', logger: silentLogger });
await engine.launch();
const handler = createHttpHandler(engine, { expose: [{ workflow: job, events: [progress] }], logger: silentLogger });
createServer(nodeListener(handler)).listen(Number(port), '127.0.0.1', () => console.log('listening'));

// Receives two messages in a run, and tells the test between them.

import { receive, runStep, topic, workflow } from '../../src/index.js';
import { launchChildEngine, say } from '../support/child-engine.js';

const [id = ''] = process.argv.slice(2);
const orders = topic<number | null>('orders');
const receiver = workflow('receiver', async () => {
  const first = await receive(orders);
  await runStep('tell', () => say('received'));
  return [first, await receive(orders)];
});

const engine = await launchChildEngine({ workflows: [receiver] });
await engine.startWorkflow(receiver, undefined, { id });
say('started');

// Sends a message from a run, in a process that may be made to die on the way.

import { send, topic, workflow } from '../../src/index.js';
import { launchChildEngine } from '../support/child-engine.js';

const [id = '', to = ''] = process.argv.slice(2);
const orders = topic<number | null>('orders');
const sender = workflow('sender', async (receiver: string) => {
  await send(receiver, orders, 1);
});

const engine = await launchChildEngine({ workflows: [sender] });
await engine.startWorkflow(sender, to, { id });

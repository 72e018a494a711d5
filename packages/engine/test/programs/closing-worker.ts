// Closes its engine while a step executes whose workflow goes on to a long sleep, and should then end by itself.

import { runStep, sleep, workflow } from '../../src/index.js';
import { launchChildEngine, say } from '../support/child-engine.js';

const napping = workflow('napping after a step', async () => {
  await runStep('slow', async () => {
    say('executing');
    await new Promise((resolve) => process.stdin.once('data', resolve));
    process.stdin.unref();
  });
  say('going on');
  await sleep('1h');
});

const terminated = new Promise((resolve) => process.once('SIGTERM', resolve));
const engine = await launchChildEngine({ workflows: [napping] });
await engine.startWorkflow(napping);
await terminated;
const closed = engine.close();
say('closing');
await closed;
say('closed');

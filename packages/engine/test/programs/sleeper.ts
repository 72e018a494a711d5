// Runs one workflow that sleeps between two steps, until it is killed. The test's engine hosts a workflow of the same
// name. Arguments: the workflow's name, which is also the run's id, and the length of the sleep.

import { runStep, sleep, workflow } from '../../src/index.js';
import { launchChildEngine, say } from '../support/child-engine.js';

const [name = '', duration = ''] = process.argv.slice(2);

const sleeper = workflow(name, async () => {
  await runStep('fall asleep', () => 'asleep');
  say('sleeping');
  await sleep(duration);
  await runStep('wake up', () => 'awake');
});

const engine = await launchChildEngine({ workflows: [sleeper] });
await engine.startWorkflow(sleeper, undefined, { id: name });

// Starts a run that has a deadline and waits for ever, until it is killed. The test's engine hosts a workflow of the
// same name. Arguments: the workflow's name, which is also the run's id, and the timeout.

import { runStep, workflow } from '../../src/index.js';
import { launchChildEngine, say } from '../support/child-engine.js';

const [name = '', timeout = ''] = process.argv.slice(2);

const endless = workflow(name, async () => {
  await runStep('begin', () => 'begun');
  await runStep('work for ever', () => {
    say('working');
    return new Promise(() => undefined);
  });
});

const engine = await launchChildEngine({ workflows: [endless] });
await engine.startWorkflow(endless, undefined, { id: name, timeout });

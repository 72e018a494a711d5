// Runs one workflow whose step fails in every attempt, until it is killed. The test's engine hosts a workflow of the
// same name, and goes on. Arguments: the workflow's name, which is also the run's id, and the wait between attempts.

import { currentStep, runStep, workflow } from '../../src/index.js';
import { launchChildEngine } from '../support/child-engine.js';

const [name = '', delay = ''] = process.argv.slice(2);

const failing = workflow(name, () =>
  runStep('charge', () => Promise.reject(new RangeError(`failure ${currentStep().attempt} of the child`)), {
    retry: { maxAttempts: 5, delay, backoff: 1, jitter: false },
  }),
);

const engine = await launchChildEngine({ workflows: [failing] });
await engine.startWorkflow(failing, undefined, { id: name });

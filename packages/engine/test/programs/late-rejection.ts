// A step whose first attempt rejects after its time is up: with nobody left to hear it, that must end no process.

import { once } from 'node:events';
import { currentStep, runStep, workflow } from '../../src/index.js';
import { launchChildEngine, say } from '../support/child-engine.js';

let isFirstOver = false;

const late = workflow('late-rejection', () =>
  runStep(
    'charge',
    async () => {
      const { attempt, signal } = currentStep();
      if (attempt > 1) return attempt;
      await once(signal, 'abort');
      setTimeout(() => (isFirstOver = true), 50);
      await new Promise((resolve) => setTimeout(resolve, 30));
      throw new Error('too late');
    },
    { timeout: 50, retry: { maxAttempts: 2, delay: 0 } },
  ),
);

const engine = await launchChildEngine({ workflows: [late] });
const run = await engine.startWorkflow(late);
const result = await run.result();
while (!isFirstOver) await new Promise((resolve) => setTimeout(resolve, 10));
await engine.close();
say('done', { result });

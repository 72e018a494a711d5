// A step that ignores its signal and has an hour, in a run that is cancelled: the process must be able to end.

import { runStep, workflow } from '../../src/index.js';
import { launchChildEngine, say } from '../support/child-engine.js';

let began: () => void;
const hasBegun = new Promise<void>((resolve) => (began = resolve));

const endless = workflow('endless-step', () =>
  runStep(
    'charge',
    () => {
      began();
      return new Promise(() => undefined);
    },
    { timeout: '1h', retry: { maxAttempts: 2 } },
  ),
);

const engine = await launchChildEngine({ workflows: [endless] });
const run = await engine.startWorkflow(endless);
await hasBegun;
await run.cancel();
await engine.close();
say('closed');

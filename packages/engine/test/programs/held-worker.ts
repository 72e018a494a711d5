// Hosts workflows with a step that lasts until it is told to go on by a line, or its signal fires.

import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { currentStep, runStep, workflow } from '../../src/index.js';
import { isPerdureError } from '../../src/values/errors.js';
import { launchChildEngine, say } from '../support/child-engine.js';

const lines = createInterface(process.stdin);

const hold = async (): Promise<string> => {
  const { signal } = currentStep();
  signal.addEventListener('abort', () => {
    say('aborted', { code: isPerdureError(signal.reason) ? signal.reason.code : String(signal.reason) });
  });
  say('holding');
  await once(lines, 'line');
  say('released');
  return 'held by the child';
};

const held = workflow('held', async () => {
  await runStep('prepare', () => 'prepared by the child');
  await runStep('hold', hold);
  await runStep('finish', () => say('finishing'));
  return 'from the child';
});

// Its only step and its outcome go into one commit.
const brief = workflow('brief', async () => runStep('hold', hold));

await launchChildEngine({ workflows: [held, brief] });
say('launched');

// Works on a backlog in which one run kills the process that executes it.

import { workflow } from '../../src/index.js';
import { launchChildEngine, say } from '../support/child-engine.js';

const deadly = Number(process.env['DEADLY']);

const poisoned = workflow('poisoned', async (n: number) => {
  if (n === deadly) process.kill(process.pid, 'SIGKILL');
  return n;
});

await launchChildEngine({ workflows: [poisoned] });
say('launched');

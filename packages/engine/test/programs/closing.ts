// Launches and closes engines with work of every kind in memory, and has nothing to keep the process alive after that.

import { currentStep, runStep, sleep, workflow } from '../../src/index.js';
import { launchChildEngine, say } from '../support/child-engine.js';

const never = (): Promise<void> => new Promise(() => undefined);
const sleeper = workflow('sleeper', () => sleep('1 day'));
const stuck = workflow('stuck', () => runStep('stuck', () => currentStep().signal && never(), { timeout: '1 day' }));
const failing = workflow('failing', () =>
  runStep('failing', () => Promise.reject(new Error('not yet')), { retry: { maxAttempts: 9, delay: '1 day' } }),
);
const parent = workflow('parent', () => sleeper());
const limited = workflow('limited', () => sleep('2 days'), { timeout: '1 day' });
const workflows = [sleeper, stuck, failing, parent, limited];

for (const parkAfter of ['1h', 0]) {
  const engine = await launchChildEngine({ workflows, parkAfter });
  for (const each of workflows) await engine.startWorkflow(each);
  await engine.startWorkflow(sleeper, undefined, { delay: '1 day' });
  void (await engine.startWorkflow(sleeper)).result().catch(() => undefined);
  await engine.close({ timeout: 300 });
}
say('closed', { resources: process.getActiveResourcesInfo() });

// Parallel sequences whose steps tell what the code had got when they started.

import { currentRun, runStep, workflow } from '../../src/index.js';
import { launchChildEngine, say } from '../support/child-engine.js';

const telling = workflow('telling', async () => {
  const seen: string[] = [];
  const sequence = async (name: string): Promise<void> => {
    for (let i = 1; i <= 4; i++) {
      const result = await runStep(`${name}${i}`, async () => {
        say('executing', { run: currentRun().id, step: `${name}${i}`, seen });
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
        return `${name}${i}`;
      });
      seen.push(result);
    }
  };
  await Promise.all(['a', 'b', 'c'].map(sequence));
});

const engine = await launchChildEngine({ workflows: [telling] });
const run = await engine.startWorkflow(telling, undefined, { id: process.argv[2] ?? 'telling' });
await run.result();
await engine.close();

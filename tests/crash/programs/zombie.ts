// A run whose first owner is frozen in the middle of two steps: one ends when its signal fires, the other as soon as its
// process thaws, before that can know that it has lost the run.

import { currentRun, currentStep, runStep, workflow, type WorkflowReference } from 'perdure';
import { setTimeout as delay } from 'node:timers/promises';

const say = (line: object): void => console.log(JSON.stringify(line));

/** Every step returns "zombie" in the first owner and "heir" in any other. */
export function defineZombie(): WorkflowReference<never, unknown> {
  const isHeir = (): boolean => currentRun().epoch > 1;
  const untilAborted = async (): Promise<string> => {
    if (isHeir()) return 'heir';
    const { signal } = currentStep();
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    say({ type: 'aborted', code: (signal.reason as { code?: string }).code });
    return 'zombie';
  };
  const untilThawed = async (): Promise<string> => {
    if (isHeir()) return 'heir';
    say({ type: 'holding' });
    for (let lastMs = performance.now(); performance.now() - lastMs < 500; await delay(20)) lastMs = performance.now();
    return 'zombie';
  };
  return workflow('zombie', async () => {
    const results = [await Promise.all([runStep('aborted', untilAborted), runStep('thawed', untilThawed)])];
    return [...results.flat(), await runStep('then', () => (isHeir() ? 'heir' : 'zombie'))];
  });
}

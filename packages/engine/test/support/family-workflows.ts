// Three generations of runs with a step before and after each call. A test's engine hosts them, and so does the program
// that the test kills.

import { runStep, workflow, type Workflow } from '../../src/index.js';

/** The workflows, and the one to start. `onStep` is told whenever a step's function runs. */
export function familyWorkflows(onStep: (name: string) => void): {
  readonly parent: Workflow<void, readonly string[]>;
  readonly all: readonly Workflow<void, readonly string[]>[];
} {
  const step = (name: string): Promise<string> =>
    runStep(name, () => {
      onStep(name);
      return name;
    });
  const grandchild = workflow('family-grandchild', async () => [await step('inner 1'), await step('inner 2')]);
  const child = workflow('family-child', async () => [
    await step('middle 1'),
    ...(await grandchild()),
    await step('middle 2'),
  ]);
  const parent = workflow('family-parent', async () => [
    await step('outer 1'),
    ...(await child()),
    await step('outer 2'),
  ]);
  return { parent, all: [parent, child, grandchild] };
}

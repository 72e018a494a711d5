// The workflows of the simulation, over the real engine. Imports nothing of Jest: child programs host them too.

import { currentRun, runStep, sleep, workflow, type Workflow } from '../../src/index.js';
import type { SimulatedWorkflow } from './delivery-simulation.js';
import { simulatedWorkflows } from './simulated-workflows.js';

/** What such a run returns: the results in the order in which its code got them, and what the code made of them. */
export interface Traced {
  readonly trace: readonly string[];
  readonly value: unknown;
}

/** The workflows; `note` hears of each execution of a step: in whose run, and `name occurrence`. */
export function replayWorkflows(note: (runId: string, step: string) => void): readonly Workflow<void, Traced>[] {
  return Object.entries(simulatedWorkflows).map(([name, simulated]) =>
    workflow(name, () => trace(simulated, (step) => note(currentRun().id, step))),
  );
}

async function trace(simulated: SimulatedWorkflow, note: (step: string) => void): Promise<Traced> {
  const received: string[] = [];
  const calls = new Map<string, number>();
  const value = await simulated({
    step: async (name) => {
      const occurrence = (calls.get(name) ?? 0) + 1;
      calls.set(name, occurrence);
      const result = await runStep(name, () => effect(() => note(`${name} ${occurrence}`)));
      received.push(`${name}=${result}`);
      return result;
    },
    sleep: async (ms) => {
      await sleep(ms);
      received.push('sleep');
    },
  });
  return { trace: received, value };
}

// No two executions have the same result, so that no swap goes unseen.
async function effect(note: () => void): Promise<number> {
  note();
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
  return Math.floor(Math.random() * 2 ** 48);
}

// Workflows for the simulation of deliveries: every shape of concurrency in which results could reach the wrong caller.

import type { Durable, SimulatedWorkflow } from './delivery-simulation.js';

type Results = Promise<readonly unknown[]>;

async function sequence({ step }: Durable, label: string, count: number): Results {
  const results: unknown[] = [];
  for (let i = 0; i < count; i++) results.push([label, i, await step('s')]);
  return results;
}

const parallel: SimulatedWorkflow = (durable) =>
  Promise.all([sequence(durable, 'A', 3), sequence(durable, 'B', 2), sequence(durable, 'C', 4)]);

const nested: SimulatedWorkflow = async (durable) => {
  const inner = Promise.all([sequence(durable, 'B', 2), sequence(durable, 'C', 1)]);
  return [await Promise.all([sequence(durable, 'A', 2), inner]), await sequence(durable, 'D', 2)];
};

const race: SimulatedWorkflow = async ({ step }) => {
  const winners: unknown[] = [];
  for (let i = 0; i < 3; i++) {
    const left = step('s').then((value) => ['left', value]);
    winners.push(await Promise.race([left, step('t').then((value) => ['right', value])]));
  }
  return winners;
};

/** Which steps follow depends on a result. */
const branch: SimulatedWorkflow = async (durable) => {
  const value = await durable.step('s');
  if (value % 2 === 1) return sequence(durable, 'odd', 2);
  return Promise.all([sequence(durable, 'even', 2), sequence(durable, 'more', 2)]);
};

/** One branch needs some microtasks before its first call. */
const deep: SimulatedWorkflow = (durable) => {
  const slowStart = async (): Results => {
    for (let i = 0; i < 20; i++) await Promise.resolve();
    return sequence(durable, 'slow start', 3);
  };
  return Promise.all([slowStart(), sequence(durable, 'A', 3)]);
};

/** How often a loop goes round depends on the results of both. */
const loops: SimulatedWorkflow = async ({ step }) => {
  const total = { rounds: 0 };
  const loop = async (label: string): Results => {
    const results: unknown[] = [];
    while (total.rounds < 8 && results.length < 5) {
      total.rounds += 1;
      results.push([label, total.rounds, await step('s')]);
    }
    return results;
  };
  return Promise.all([loop('A'), loop('B')]);
};

/** The durations of steps are 1 to 125 ms, so either may win. */
const stepOrSleep: SimulatedWorkflow = async ({ step, sleep }) => {
  const winners: unknown[] = [];
  for (let i = 0; i < 3; i++) {
    const late = sleep(40).then(() => 'late');
    winners.push(await Promise.race([step('s'), late]), await step('after'));
  }
  return winners;
};

/** One branch starts when another's first result has come, and says what else had come by then. */
const follower: SimulatedWorkflow = async ({ step }) => {
  const seen: unknown[] = [];
  const first = step('s');
  const busy = async (): Promise<void> => {
    for (let i = 0; i < 4; i++) seen.push(await step('s'));
  };
  const following = async (): Results => [await first, [...seen], await step('s'), [...seen], await step('s')];
  return Promise.all([busy(), following()]);
};

/** One branch awaits something that is not durable, and takes another time for it in each execution. */
const outside: SimulatedWorkflow = async ({ step }) => {
  const results = async (name: string, isSlow: boolean): Results => {
    const found: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      for (let turns = isSlow ? Math.random() * 10 : 0; turns > 0; turns--) await nextTurn();
      found.push(await step(name));
    }
    return found;
  };
  return Promise.all([results('slow', true), results('quick', false)]);
};

async function nextTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** By name. */
export const simulatedWorkflows: Readonly<Record<string, SimulatedWorkflow>> = {
  parallel,
  nested,
  race,
  branch,
  deep,
  loops,
  stepOrSleep,
  follower,
  outside,
};

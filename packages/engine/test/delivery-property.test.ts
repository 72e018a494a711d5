// The order of delivery as a property: over many schedules, with a crash after every record, replay is exact.

import { describe, expect, test } from '@jest/globals';
import { recordedIds, simulate, type Execution, type MakeDelivery } from './support/delivery-simulation.js';
import { NaiveDelivery } from './support/naive-delivery.js';
import { simulatedWorkflows } from './support/simulated-workflows.js';

type Workflow = (typeof simulatedWorkflows)[string];

// Of each of the three shapes that have shown most; with a crash after every record, that is ten thousand executions each.
const schedules = Number(process.env['PERDURE_SCHEDULES'] ?? 350);
// For the other shapes, and for the naive twin, which fails at once.
const fewSchedules = 100;
const patienceMs = 240_000;

/** How two executions of one history differ, or undefined when they do not. `kept`: how many results both must share. */
function difference(one: Execution, other: Execution, kept = one.history.length): string | undefined {
  const [expected, found] = [one, other].map(({ received }) => received.slice(0, kept).join(' '));
  if (expected !== found) return `received ${found} instead of ${expected}`;
  return one.outcome !== undefined && kept === one.history.length && one.outcome !== other.outcome
    ? `the outcome is ${other.outcome} instead of ${one.outcome}`
    : undefined;
}

/** Whatever is recorded stays as it is and is not executed again. */
function repetition(history: Execution['history'], after: Execution): string | undefined {
  const recorded = recordedIds(history);
  const again = after.executed.filter((id) => recorded.includes(id));
  if (again.length > 0) return `${again.join(' ')} executed again`;
  if (JSON.stringify(after.history.slice(0, history.length)) !== JSON.stringify(history)) return 'history rewritten';
  return new Set(recordedIds(after.history)).size === after.history.length ? undefined : 'recorded twice';
}

/** Every way in which the schedule of a seed breaks replay: none, that is. */
async function faultsOf(workflow: Workflow, seed: number, makeDelivery?: MakeDelivery): Promise<readonly string[]> {
  const run = (options: Parameters<typeof simulate>[1]): Promise<Execution> =>
    simulate(workflow, makeDelivery === undefined ? options : { ...options, makeDelivery });
  const first = await run({ seed });
  const replayed = await run({ seed: seed * 7_919, history: first.history });
  const faults = [difference(first, replayed), repetition(first.history, replayed)];
  for (let length = 0; length < first.history.length; length++) {
    const crashed = await run({ seed, crashAfter: length });
    const resumed = await run({ seed: seed * 31 + length, history: crashed.history });
    const final = await run({ seed: seed * 17 + length, history: resumed.history });
    faults.push(difference(crashed, resumed, length), repetition(crashed.history, resumed));
    faults.push(difference(resumed, final), repetition(resumed.history, final));
  }
  return faults.filter((fault) => fault !== undefined);
}

async function faultySeeds(
  workflow: Workflow,
  count: number,
  makeDelivery?: MakeDelivery,
): Promise<readonly unknown[]> {
  const checked = await Promise.all(
    seedsUpTo(count).map(async (seed) => {
      const faults = await faultsOf(workflow, seed, makeDelivery).catch((error: unknown) => [String(error)]);
      return faults.map((fault) => ({ seed, fault }));
    }),
  );
  return checked.flat();
}

/** The seeds from 1. */
function seedsUpTo(last: number): readonly number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}

describe.each(Object.entries(simulatedWorkflows))('the workflow %s', (name, workflow) => {
  const count = ['parallel', 'stepOrSleep', 'follower'].includes(name) ? schedules : fewSchedules;
  test(
    `replays exactly over ${count} schedules, crashed after every record [176, 177, 178]`,
    async () => {
      expect(await faultySeeds(workflow, count)).toEqual([]);
    },
    patienceMs,
  );
});

// The twin hands recorded results over at the call. These are the shapes in which that swaps them.
test.each(['parallel', 'nested', 'race', 'loops', 'stepOrSleep', 'follower'])(
  'a naive delivery is caught with the workflow %s',
  async (name) => {
    const workflow = simulatedWorkflows[name];
    if (workflow === undefined) throw new Error(`no workflow ${name}`);

    const caught = await faultySeeds(workflow, fewSchedules, (port, history) => new NaiveDelivery(port, history));

    expect(caught.length).toBeGreaterThan(fewSchedules / 20);
  },
);

test('in the race of a step with a sleep either side wins in many schedules [177]', async () => {
  const { stepOrSleep } = simulatedWorkflows;
  if (stepOrSleep === undefined) throw new Error('no such workflow');

  const outcomes = await Promise.all(seedsUpTo(1_000).map((seed) => simulate(stepOrSleep, { seed })));

  const late = outcomes.filter(({ outcome }) => outcome?.includes('late') === true);
  expect(late.length).toBeGreaterThan(100);
  expect(late.length).toBeLessThan(900);
});

// Contracts and the code that stands apart from them, workflows with a queue of their own, and what code can ask of itself.

import { expect, test } from '@jest/globals';
import {
  contract,
  currentRun,
  implement,
  queue,
  runStep,
  sleep,
  Step,
  stepNameOf,
  Workflow,
  workflow,
  workflowNameOf,
} from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

test('a workflow made from a contract runs what is started by the contract', async () => {
  const greeting = contract<string, string>('greeting', { version: '2' });
  const engine = await db.launchEngine({ workflows: [implement(greeting, async (name) => `Hello ${name}`)] });

  const run = await engine.startWorkflow(greeting, 'Ada');

  expect(await run.result()).toBe('Hello Ada');
  expect(await engine.runs.get(run.id)).toMatchObject({ workflow: 'greeting', version: '2' });
});

test('a class implements a contract, and is started by either', async () => {
  const doubling = contract<number, number>('doubling');
  @Workflow(doubling)
  class Doubling {
    async run(value: number): Promise<number> {
      return 2 * value;
    }
  }
  const engine = (await db.launchEngine()).register(new Doubling());

  const runs = [await engine.startWorkflow(doubling, 2), await engine.startWorkflow(Doubling, 3)];

  expect(await Promise.all(runs.map((run) => run.result()))).toEqual([4, 6]);
});

test('runs of a workflow go into its queue, unless the start names another', async () => {
  const [slow, quick] = [queue('slow'), queue('quick')];
  const indexing = workflow('indexing', async () => undefined, { queue: slow });
  const parent = workflow('parent', async () => indexing());
  const engine = await db.launchEngine({ workflows: [indexing, parent], queues: [slow, quick] });

  const starts = [
    await engine.startWorkflow(indexing, undefined, { partitionKey: 'a' }),
    await engine.startWorkflow(indexing, undefined, { queue: quick }),
    await engine.startWorkflow(parent),
  ];
  await Promise.all(starts.map((run) => run.result()));

  const { runs } = await engine.runs.list({ workflow: 'indexing' });
  const queueOf = new Map(runs.map((run) => [run.id, run.queue]));
  const [first, second, third] = starts.map(({ id }) => id);
  expect(queueOf).toEqual(
    new Map([
      [first, 'slow'],
      [second, 'quick'],
      [`${third}/indexing`, 'slow'],
    ]),
  );
});

test('a run can tell whether it is replayed', async () => {
  const seen: boolean[] = [];
  const sleeper = workflow('sleeper', async () => {
    seen.push(currentRun().isReplaying);
    await sleep(100);
    return [currentRun().isReplaying, await runStep('look', () => currentRun().isReplaying)];
  });
  const engine = await db.launchEngine({ workflows: [sleeper], parkAfter: 0 });

  const run = await engine.startWorkflow(sleeper);

  expect(await run.result()).toEqual([false, false]);
  expect(seen).toEqual([false, true]);
});

test('a workflow class tells its name, a subclass has none of its own', () => {
  @Workflow('base')
  class Base {
    async run(): Promise<void> {}
  }
  class Derived extends Base {}

  expect([Base, Derived, class {}].map(workflowNameOf)).toEqual(['base', undefined, undefined]);
});

test('a step method tells its name, any other function has none', () => {
  class Payments {
    @Step({ name: 'charge card' })
    async charge(): Promise<void> {}

    async refund(): Promise<void> {}
  }
  const methods: Readonly<Record<string, unknown>> = Object.getOwnPropertyDescriptors(Payments.prototype);

  const names = Object.entries(methods).map(([key, method]) => [key, stepNameOf(Reflect.get(Object(method), 'value'))]);

  expect(names).toEqual([
    ['constructor', undefined],
    ['charge', 'charge card'],
    ['refund', undefined],
  ]);
});

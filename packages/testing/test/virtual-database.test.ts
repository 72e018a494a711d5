// Time and mocks for engines that something else makes, such as the module of a framework.

import { expect, test } from '@jest/globals';
import { createEngine, now, runStep, silentLogger, sleep, workflow } from 'perdure';
import { connectTestClock, createVirtualDatabase, StepMocks } from '../src/index.js';

const slow = workflow('slow', async () => {
  await sleep('1 week');
  return [await runStep('say', () => 'real'), now()] as const;
});

test('an engine of one’s own follows the time of its database, and has its steps replaced', async () => {
  const startsAt = new Date('2030-01-01T00:00:00Z');
  const database = await createVirtualDatabase({ schema: 'own', startsAt });
  const clock = await connectTestClock(database.url, { schema: 'own', time: 'skipping' });
  const mocks = new StepMocks();
  const options = { database: database.url, schema: 'own', parkAfter: 0, logger: silentLogger };
  const engine = createEngine({ ...options, workflows: [slow], aroundStep: mocks.around() });
  mocks.replace('say', () => 'mocked');

  const run = await (await engine.launch()).startWorkflow(slow);
  const [said, at] = await run.result();

  expect([said, at.toISOString().slice(0, 10)]).toEqual(['mocked', '2030-01-08']);
  await clock.close();
  await engine.close();
  await database.drop();
});

// A network that swallows what is sent, as after a failover: no connection ends, nobody answers, and new connections work.

import { expect, test } from '@jest/globals';
import { runStep, sleep, workflow } from 'perdure';
import { useDurableDatabase } from './support/durable-database.js';

const db = useDurableDatabase();

test('an engine whose connections all fall silent goes on by new ones, and repeats no recorded step [191]', async () => {
  const executed: string[] = [];
  const proxy = await db.startProxy();
  const silenced = workflow('silenced', async () => {
    await runStep('before', () => void executed.push('before'));
    await runStep('freeze', () => {
      executed.push('freeze');
      proxy.freeze();
    });
    await sleep('10ms');
    return runStep('after', () => executed.push('after'));
  });
  const engine = await db.launchEngine({ database: proxy.url, workflows: [silenced], lease: '1s', listen: false });

  const run = await engine.startWorkflow(silenced, undefined, { id: 'silenced' });

  // Nobody heard of the second step: it may run again.
  expect(await run.result()).toBe(executed.length);
  expect(executed.filter((name) => name !== 'freeze')).toEqual(['before', 'after']);
});

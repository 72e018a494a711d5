// What queues refuse, and with which code.

import { expect, test } from '@jest/globals';
import { contract, createEngine, queue, type QueueOptions, type StartOptions } from '../src/index.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const ask = contract<void>('ask');
const mail = queue('mail');

test.each<[string, QueueOptions]>([
  ['no concurrency', { concurrency: 0 }],
  ['half a concurrency', { concurrency: 1.5 }],
  ['a negative one', { concurrency: -1 }],
  ['none per executor', { executorConcurrency: 0 }],
  ['none per key', { perKey: { concurrency: 0 } }],
  ['more than can be counted', { concurrency: 2 ** 31 }],
  ['a rate of nothing', { rateLimit: { limit: 0, per: '1s' } }],
  ['an empty window', { rateLimit: { limit: 1, per: 0 } }],
  ['a window of two years', { rateLimit: { limit: 1, per: '730 days' } }],
])('a queue with %s is refused', async (_, options) => {
  await perdureErrorOf(() => queue('bad', options), 'OPTION_INVALID');
});

test.each([[{ concurency: 5 }], [{ perKey: { concurency: 5 } }], [{ rateLimit: { max: 5, per: '1s' } }]])(
  'a misspelt limit is refused: %j',
  async (options) => {
    await perdureErrorOf(() => queue('bad', options as QueueOptions), 'OPTION_INVALID');
  },
);

test('limits that contradict each other are refused', async () => {
  await perdureErrorOf(() => queue('bad', { concurrency: 3, executorConcurrency: 5 }), 'QUEUE_LIMIT_CONFLICT');
  await perdureErrorOf(() => queue('bad', { concurrency: 3, perKey: { concurrency: 5 } }), 'QUEUE_LIMIT_CONFLICT');
  await perdureErrorOf(() => queue('bad', { rateLimit: { limit: 1, per: 'a while' } }), 'DURATION_INVALID');
  await perdureErrorOf(() => queue(''), 'NAME_INVALID');
});

test.each<[string, StartOptions, 'OPTION_INVALID' | 'NAME_INVALID' | 'QUEUE_UNKNOWN' | 'DURATION_INVALID']>([
  ['a queue that nobody has declared', { queue: 'mial' }, 'QUEUE_UNKNOWN'],
  ['an empty queue', { queue: '' }, 'NAME_INVALID'],
  ['a key without a queue', { partitionKey: 'a' }, 'OPTION_INVALID'],
  ['a priority without a queue', { priority: 1 }, 'OPTION_INVALID'],
  ['a dedup key without a queue', { dedupKey: 'a' }, 'OPTION_INVALID'],
  ['a broken priority', { queue: mail, priority: 0.5 }, 'OPTION_INVALID'],
  ['a priority that no column holds', { queue: mail, priority: 2 ** 31 }, 'OPTION_INVALID'],
  ['an empty key', { queue: mail, partitionKey: '' }, 'NAME_INVALID'],
  ['an empty dedup key', { queue: mail, dedupKey: '' }, 'NAME_INVALID'],
  ['a negative delay', { queue: mail, delay: -1 }, 'DURATION_INVALID'],
])('a start with %s is refused, and starts nothing', async (_, options, code) => {
  const engine = await db.launchEngine({ queues: [mail] });

  await perdureErrorOf(engine.startWorkflow(ask, undefined, options), code);
  const { onDuplicate: _unused, ...bulk } = options;
  await perdureErrorOf(engine.startWorkflows(ask, [{ queue: mail }, bulk]), code);

  expect(await db.query('select from perdure.runs')).toEqual([]);
});

test('two different queues of one name are refused at launch, with every other fault', async () => {
  const queues = [queue('twice', { concurrency: 1 }), queue('twice', { concurrency: 2 })];
  const engine = createEngine({ database: db.url, queues, serveQueues: [''] });

  const error = await perdureErrorOf(engine.launch(), 'CONFIG_INVALID');

  expect(error.details.faults).toMatchObject([
    expect.stringMatching('QUEUE_DUPLICATE'),
    expect.stringMatching('NAME_INVALID'),
  ]);
});

test('steering a queue or a run that is not there tells which', async () => {
  const engine = await db.launchEngine({ queues: [mail] });

  await perdureErrorOf(engine.queues.pause('mial'), 'QUEUE_UNKNOWN');
  await perdureErrorOf(engine.queues.update('mial', {}), 'QUEUE_UNKNOWN');
  await perdureErrorOf(engine.queues.explain('nobody'), 'RUN_NOT_FOUND');
  await perdureErrorOf(engine.queues.move('nobody', { priority: 1 }), 'RUN_NOT_FOUND');
  expect(await engine.queues.get('mial')).toBeUndefined();
  expect(await engine.queues.delete('mial')).toBe(false);
});

test('a queue with unfinished runs is not deleted', async () => {
  const engine = await db.launchEngine({ queues: [mail] });
  const run = await engine.startWorkflow(ask, undefined, { queue: mail, delay: '1h' });

  await perdureErrorOf(engine.queues.delete(mail), 'QUEUE_IN_USE');

  await run.cancel();
  await perdureErrorOf(engine.queues.move(run.id, { priority: 1 }), 'RUN_STATE_CONFLICT');
  expect(await engine.queues.delete(mail)).toBe(true);
});

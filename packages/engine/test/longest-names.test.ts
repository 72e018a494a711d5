// The longest ids and names, of characters with three bytes each that no compression makes shorter: everything that is indexed by them
// fits, as an entry of an index may have no more than 2,704 bytes.

import { expect, test } from '@jest/globals';
import { seededRandom } from '@perdure/testing';
import {
  event,
  queue,
  receive,
  runStep,
  send,
  setEvent,
  startWorkflow,
  stream,
  topic,
  workflow,
  writeStream,
} from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const random = seededRandom(7);
const wide = (length: number): string =>
  Array.from({ length }, () => String.fromCharCode(random.integer(0x4e00, 0x9dff))).join('');

test('a message from the longest id to the longest id, on the longest topic', async () => {
  const word = topic<string>(wide(255));
  const hearing = workflow('hearing', () => receive(word));
  const telling = workflow('telling', (to: string) => send(to, word, 'hello'));
  const engine = await db.launchEngine({ workflows: [hearing, telling] });
  const hearer = await engine.startWorkflow(hearing, undefined, { id: wide(512) });

  const teller = await engine.startWorkflow(telling, hearer.id, { id: wide(512) });

  await teller.result();
  expect(await hearer.result()).toBe('hello');
});

test('whatever else a run writes', async () => {
  const [progress, lines] = [event<number>(wide(255)), stream<string>(wide(255))];
  const child = workflow(wide(255), async () => 'from the child');
  let calls = 0;
  const writing = workflow('writing', async () => {
    await runStep(wide(255), () => (calls++ === 0 ? Promise.reject(new Error('once')) : 'done'), {
      retry: { maxAttempts: 2, delay: 0 },
    });
    await setEvent(progress, 7);
    await writeStream(lines, 'line');
    await startWorkflow(child);
    return child();
  });
  const engine = await db.launchEngine({ workflows: [child, writing] });

  const run = await engine.startWorkflow(writing, undefined, { id: wide(512) });

  expect(await run.result()).toBe('from the child');
});

test('a run in a queue, with keys', async () => {
  const line = queue(wide(255), { perKey: { concurrency: 1 }, rateLimit: { limit: 5, per: '1m', key: 'partition' } });
  const queued = workflow('queued', async () => 'done');
  const engine = await db.launchEngine({ workflows: [queued], queues: [line] });

  const run = await engine.startWorkflow(queued, undefined, {
    id: wide(512),
    queue: line,
    partitionKey: wide(255),
    dedupKey: wide(255),
    idempotency: { key: wide(255), fingerprint: wide(255) },
  });

  expect(await run.result()).toBe('done');
});

// Streams: logs of runs, written once and followed from anywhere.

import { expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { closeStream, receive, runStep, stream, topic, workflow, writeStream, type Engine } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

const tokens = stream<unknown>('tokens');
const go = topic<number>('go');

async function readAll(engine: Engine, id: string, from = 0): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const { value } of engine.readStream(id, tokens, { from })) values.push(value);
  return values;
}

const writer = workflow('writer', async (count: number) => {
  for (let position = 0; position < count; position++) await writeStream(tokens, position);
  await closeStream(tokens);
});

test('values are read in the order of writing, and reading ends at the close [99, 100]', async () => {
  const [engine, reader] = [await db.launchEngine({ workflows: [writer] }), await db.launchEngine()];
  const run = await engine.startWorkflow(writer, 20);

  expect(await readAll(reader, run.id)).toEqual(Array.from({ length: 20 }, (_, position) => position));
});

test('reading from a position gives exactly the rest [101]', async () => {
  const engine = await db.launchEngine({ workflows: [writer] });
  const run = await engine.startWorkflow(writer, 10);
  await run.result();

  expect(await readAll(engine, run.id, 7)).toEqual([7, 8, 9]);
  expect(await readAll(engine, run.id, 10)).toEqual([]);
});

test('a thousand chunks that are there are read with three statements [107]', async () => {
  const engine = await db.launchEngine({ workflows: [writer] });
  const run = await engine.startWorkflow(writer, 1_000);
  await run.result();
  const query = jest.spyOn(pg.Client.prototype, 'query');

  const values = await readAll(engine, run.id);

  const reads = query.mock.calls.filter((call) => JSON.stringify(call).includes('stream_chunks'));
  query.mockRestore();
  expect(values).toHaveLength(1_000);
  expect(reads).toHaveLength(3);
});

test('a reader follows a writer that is alive, and ends with a run that never closes [99, 100]', async () => {
  const slow = workflow('slow-writer', async () => {
    for (;;) {
      const value = await receive(go);
      if (value === 0) throw new Error('no close');
      await writeStream(tokens, value);
    }
  });
  const engine = await db.launchEngine({ workflows: [slow] });
  const run = await engine.startWorkflow(slow);
  const reader = engine.readStream(run.id, tokens);

  await engine.send(run.id, go, 1);
  expect(await reader.next()).toMatchObject({ value: { position: 0, value: 1 } });
  await engine.send(run.id, go, 2);
  expect(await reader.next()).toMatchObject({ value: { position: 1, value: 2 } });
  await engine.send(run.id, go, 0);
  expect(await reader.next()).toEqual({ done: true, value: undefined });
});

test('concurrent writers take distinct positions [102]', async () => {
  const many = workflow('many-writers', async () => {
    await Promise.all(Array.from({ length: 30 }, (_, value) => writeStream(tokens, value)));
    await runStep('work', () => Promise.all(Array.from({ length: 30 }, (_, value) => writeStream(tokens, 30 + value))));
  });
  const engine = await db.launchEngine({ workflows: [many] });

  const run = await engine.startWorkflow(many);
  await run.result();

  expect(new Set(await readAll(engine, run.id))).toEqual(new Set(Array.from({ length: 60 }, (_, value) => value)));
});

test('no value can be taken for the close of a stream [104]', async () => {
  const values = [undefined, null, '', '__DBOS_STREAM_CLOSED__', { '~': 'undefined' }];
  const tricky = workflow('tricky', async () => {
    for (const value of values) await writeStream(tokens, value);
  });
  const engine = await db.launchEngine({ workflows: [tricky] });

  const run = await engine.startWorkflow(tricky);
  await run.result();

  expect(await readAll(engine, run.id)).toEqual(values);
});

test('writing after the close fails, and so does writing outside of a run [103]', async () => {
  const late = workflow('late', async () => {
    await closeStream(tokens);
    await writeStream(tokens, 1);
  });
  const engine = await db.launchEngine({ workflows: [late] });

  const run = await engine.startWorkflow(late);

  await expect(run.result()).rejects.toMatchObject({ code: 'STREAM_CLOSED' });
  await expect(writeStream(tokens, 1)).rejects.toMatchObject({ code: 'NOT_IN_RUN' });
});

test('what workflow code writes is written once, although its process dies in between [105]', async () => {
  const child = db.spawn('writer', { args: ['writes-once'], crashAt: 'after:perdure_write_and_publish' });
  await child.exited;

  const engine = await db.launchEngine({ workflows: [writer] });
  await engine.getHandle('writes-once').result();

  expect(await readAll(engine, 'writes-once')).toEqual([0, 1, 2, 3, 4]);
});

test('a reader that waits too long gets an error, and a bad position is refused before anything is read [103, 106]', async () => {
  const engine = await db.launchEngine({ workflows: [writer] });
  const run = await engine.startWorkflow(writer, 1, { delay: '1h' });

  await expect(engine.readStream(run.id, tokens, { timeout: 20 }).next()).rejects.toMatchObject({
    code: 'READ_TIMED_OUT',
  });
  await expect(engine.readStream(run.id, tokens, { from: -1 }).next()).rejects.toMatchObject({
    code: 'OPTION_INVALID',
  });
  await expect(engine.readStream('nobody', tokens).next()).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
});

test('a reader that is told to stop ends without an error', async () => {
  const engine = await db.launchEngine({ workflows: [writer] });
  const run = await engine.startWorkflow(writer, 1, { delay: '1h' });
  const stop = new AbortController();
  const next = engine.readStream(run.id, tokens, { signal: stop.signal }).next();

  stop.abort();

  expect(await next).toEqual({ done: true, value: undefined });
});

test('large values pass [108]', async () => {
  const big = workflow('big', () => writeStream(tokens, 'x'.repeat(3_000_000)));
  const engine = await db.launchEngine({ workflows: [big] });

  const run = await engine.startWorkflow(big);

  expect(await readAll(engine, run.id)).toEqual(['x'.repeat(3_000_000)]);
});

// Watching a run: one sequence of its state, events and streams, taken up again anywhere.

import { setMaxListeners } from 'node:events';
import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import {
  closeStream,
  event,
  receive,
  runStep,
  setEvent,
  stream,
  topic,
  workflow,
  writeStream,
  type Engine,
  type RunChange,
  type WatchOptions,
} from '../src/index.js';
import { deferred } from './support/deferred.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

const progress = event<number>('progress');
const tokens = stream<string>('tokens & more=');
const other = stream<number>('other');
const go = topic<null>('go');

const telling = workflow('telling', async () => {
  await setEvent(progress, 1);
  await writeStream(tokens, 'a');
  await runStep('tell', async () => {
    await writeStream(tokens, 'b');
    await setEvent(progress, 2);
    await writeStream(other, 7);
  });
  await receive(go);
  await writeStream(tokens, 'c');
  await closeStream(tokens);
  await setEvent(progress, 3);
  return 'done';
});

async function watchAll(engine: Engine, id: string, options?: WatchOptions): Promise<RunChange[]> {
  const changes: RunChange[] = [];
  for await (const change of engine.watch(id, options)) changes.push(change);
  return changes;
}

/** What was told, without the states that a run merely passes. */
function told(changes: readonly RunChange[]): unknown[] {
  return changes.flatMap((change) => {
    if (change.kind === 'event') return [`${change.name}=${String(change.value)}`];
    if (change.kind === 'stream') return [`${change.name}[${change.index}]=${String(change.value)}`];
    if (change.kind === 'close') return [`${change.name} closed`];
    return change.output === undefined ? [] : [`${change.status}: ${JSON.stringify(change.output)}`];
  });
}

const inOrder = [
  'progress=1',
  'tokens & more=[0]=a',
  'tokens & more=[1]=b',
  'progress=2',
  'other[0]=7',
  'tokens & more=[2]=c',
  'tokens & more= closed',
  'progress=3',
  'succeeded: "done"',
];

async function finishedRun(engine: Engine): Promise<string> {
  const run = await engine.startWorkflow(telling);
  await engine.send(run.id, go, null);
  await run.result();
  return run.id;
}

test('everything is told once, and the end last, to who watches from the start and to who comes later', async () => {
  const engine = await db.launchEngine({ workflows: [telling] });
  const reader = await db.launchEngine();
  const run = await engine.startWorkflow(telling);
  const watching = watchAll(reader, run.id);
  await engine.send(run.id, go, null);

  const changes = await watching;

  expect(new Set(told(changes))).toEqual(new Set(inOrder));
  expect(told(changes)).toHaveLength(inOrder.length);
  expect(told(changes).at(-1)).toBe('succeeded: "done"');
  expect(new Set(told(await watchAll(reader, run.id)))).toEqual(new Set(inOrder));
});

test('from the position of any change, exactly the rest is told', async () => {
  const engine = await db.launchEngine({ workflows: [telling] });
  const id = await finishedRun(engine);
  const all = await watchAll(engine, id);

  for (const [index, { position }] of all.entries()) {
    expect(await watchAll(engine, id, { from: position })).toEqual(all.slice(index + 1));
  }
});

test('a watcher is told at once what a run in another process tells, and when it ends', async () => {
  const engine = await db.launchEngine({ workflows: [telling] });
  const reader = await db.launchEngine();
  const run = await engine.startWorkflow(telling);
  const seen: RunChange[] = [];
  const watching = (async () => {
    for await (const change of reader.watch(run.id)) seen.push(change);
  })();
  await waitFor(() => told(seen).length, { what: 'what is told before the wait', until: (count) => count === 5 });

  await engine.send(run.id, go, null);
  await watching;

  expect(seen.at(-1)).toMatchObject({ kind: 'status', status: 'succeeded' });
});

test('only what is asked for is told, and a position counts what was left out', async () => {
  const engine = await db.launchEngine({ workflows: [telling] });
  const id = await finishedRun(engine);

  const changes = await watchAll(engine, id, { events: [], streams: [other] });

  expect(told(changes)).toEqual(['other[0]=7', 'succeeded: "done"']);
  expect(await watchAll(engine, id, { from: changes.at(-1)?.position })).toEqual([]);
});

test('thousands of chunks come in portions, in their order', async () => {
  const long = workflow('long', async () => {
    await runStep('write', async () => {
      await Promise.all(Array.from({ length: 2_600 }, (_, index) => writeStream(other, index)));
      await Promise.all(Array.from({ length: 700 }, (_, index) => setEvent(progress, index)));
    });
  });
  const engine = await db.launchEngine({ workflows: [long] });
  const run = await engine.startWorkflow(long);
  await run.result();

  const changes = await watchAll(engine, run.id);

  const values = (kind: string): unknown[] =>
    changes.flatMap((c) => (c.kind === kind && 'value' in c ? [c.value] : []));
  expect(values('stream')).toEqual(Array.from({ length: 2_600 }, (_, index) => index));
  expect(values('event')).toEqual(Array.from({ length: 700 }, (_, index) => index));
});

test('watching ends without an error when its signal fires, and with one when its engine is closed', async () => {
  const engine = await db.launchEngine({ workflows: [telling] });
  const reader = await db.launchEngine();
  const run = await engine.startWorkflow(telling);
  const ending = new AbortController();
  const aborted = watchAll(reader, run.id, { signal: ending.signal });
  const closed = watchAll(reader, run.id);
  closed.catch(() => undefined);

  ending.abort();
  await aborted;
  await reader.close();

  await expect(closed).rejects.toMatchObject({ code: 'ENGINE_CLOSED' });
});

test.each(['', 'running', 'running.1', 'none.1.2&', 'none.1.2&%zz=1', 'none.1.2&a=b', 'none.1.2\n', 'nonsense.1.2'])(
  '%j is refused as a position',
  async (from) => {
    const engine = await db.launchEngine();

    await expect(watchAll(engine, 'any', { from })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  },
);

test('a run that does not exist is not found', async () => {
  const engine = await db.launchEngine();

  await expect(watchAll(engine, 'nobody')).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
});

test('hundreds of idle watchers share a few statements', async () => {
  const waiting = workflow('waiting', () => receive(go));
  const engine = await db.launchEngine({ workflows: [waiting], pollInterval: '100ms' });
  const run = await engine.startWorkflow(waiting);
  const ending = new AbortController();
  setMaxListeners(0, ending.signal);
  const statements = async (): Promise<number> => {
    const [row] = await db.query<{ n: string }>(
      `select xact_commit as n from pg_stat_database where datname = current_database()`,
    );
    return Number(row?.n);
  };
  const watchers = Array.from({ length: 500 }, () => watchAll(engine, run.id, { signal: ending.signal }));
  await db.query('select pg_stat_force_next_flush()').catch(() => undefined);
  const before = await statements();
  await waitFor(async () => (await statements()) - before, { what: 'some rounds', until: (count) => count > 30 });
  const asked = (await statements()) - before;

  ending.abort();
  await Promise.all(watchers);

  expect(asked).toBeLessThan(500);
});

test('what a run tells after its failed step was dropped is told to those who had seen more', async () => {
  const faulty = workflow('faulty', async () => {
    const [failed, published] = [deferred<void>(), deferred<void>()];
    const tell = runStep('tell', async () => {
      await failed.promise;
      await setEvent(progress, 1); // behind the failure in the history
      published.resolve();
      return new Promise<never>(() => undefined);
    });
    tell.catch(() => undefined);
    await runStep('fail', () => Promise.reject(new Error('not yet')), { retry: { maxAttempts: 1 } }).catch(
      async (error: unknown) => {
        failed.resolve();
        await published.promise;
        throw error;
      },
    );
  });
  const mended = workflow('faulty', () => runStep('fail', () => setEvent(progress, 2)));
  const engine = await db.launchEngine({ workflows: [faulty] });
  const run = await engine.startWorkflow(faulty);
  await expect(run.result()).rejects.toThrow('not yet');
  const before = await watchAll(engine, run.id);
  engine.register(mended);

  await engine.runs.retry(run.id);
  await engine.getHandle(run.id).result();

  expect(told(before)).toEqual(['progress=1']);
  expect(told(await watchAll(engine, run.id, { from: before.at(-1)?.position }))).toEqual(['progress=2']);
});

// Starts with an idempotency key: one run for each key, whoever asks and however often.

import { expect, test } from '@jest/globals';
import { receive, topic, workflow, type Engine, type RunHandle } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

const echo = workflow('echo', async (text: string) => text);
const other = workflow('other', async (text: string) => text);
const go = topic<null>('go');
const waiting = workflow('waiting', async (_text: string) => void (await receive(go)));

interface Asked {
  readonly key: string;
  readonly says?: string;
  readonly keepFor?: string;
}

function start(engine: Engine, { key, says = 'this', keepFor = '1h' }: Asked): Promise<RunHandle<string>> {
  return engine.startWorkflow(echo, says, { idempotency: { key, fingerprint: says, keepFor } });
}

test('the same key gives the same run, in this process and in others, while it runs and after', async () => {
  const [engine, elsewhere] = [await db.launchEngine({ workflows: [echo] }), await db.launchEngine()];

  const first = await start(engine, { key: 'same' });
  const again = await start(elsewhere, { key: 'same' });
  await first.result();
  const later = await start(engine, { key: 'same' });

  expect([first.isNew, again.isNew, later.isNew]).toEqual([true, false, false]);
  expect([again.id, later.id]).toEqual([first.id, first.id]);
  expect(await later.result()).toBe('this');
});

test('of a hundred starts at once in two processes, one makes the run', async () => {
  const engines = [await db.launchEngine({ workflows: [echo] }), await db.launchEngine({ workflows: [echo] })] as const;

  const handles = await Promise.all(
    Array.from({ length: 100 }, (_, index) => start(engines[index % 2 === 0 ? 0 : 1], { key: 'crowd' })),
  );

  expect(handles.filter(({ isNew }) => isNew)).toHaveLength(1);
  expect(new Set(handles.map(({ id }) => id)).size).toBe(1);
  expect(await db.query(`select 1 from perdure.runs where idempotency_key = 'crowd'`)).toHaveLength(1);
});

test('the same key with something else to say is refused, and names the run that has it', async () => {
  const engine = await db.launchEngine({ workflows: [echo, other] });
  const { id } = await start(engine, { key: 'reused' });

  await expect(start(engine, { key: 'reused', says: 'that' })).rejects.toMatchObject({
    code: 'IDEMPOTENCY_KEY_REUSED',
    details: { id },
  });
  const elsewhere = engine.startWorkflow(other, 'this', { idempotency: { key: 'reused', fingerprint: 'this' } });
  await expect(elsewhere).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
});

test('a key whose time is over starts a new run, once, and stands for that one', async () => {
  const engine = await db.launchEngine({ workflows: [echo] });
  const old = await start(engine, { key: 'aged' });
  await old.result();
  await db.query(`update perdure.runs set created_at = now() - interval '2 hours' where id = $1`, [old.id]);

  const handles = await Promise.all(Array.from({ length: 20 }, () => start(engine, { key: 'aged', says: 'anew' })));

  expect(new Set(handles.map(({ id }) => id)).size).toBe(1);
  expect(handles[0]?.id).not.toBe(old.id);
  expect(await handles[0]?.result()).toBe('anew');
  expect(await engine.runs.get(old.id)).toMatchObject({ status: 'succeeded' });
});

test('a run that is not over keeps its key, however old', async () => {
  const engine = await db.launchEngine({ workflows: [waiting] });
  const options = { idempotency: { key: 'long', fingerprint: 'x', keepFor: '1ms' } };
  const first = await engine.startWorkflow(waiting, 'x', options);
  await db.query(`update perdure.runs set created_at = now() - interval '1 day' where id = $1`, [first.id]);

  const again = await engine.startWorkflow(waiting, 'x', options);

  expect(again.id).toBe(first.id);
});

test('a key beside a chosen id: the id is the run, and the key still tells a different request', async () => {
  const engine = await db.launchEngine({ workflows: [waiting] });
  const withId = (key: string, fingerprint: string): Promise<RunHandle<void>> =>
    engine.startWorkflow(waiting, 'x', { id: 'chosen', idempotency: { key, fingerprint } });
  await withId('k1', 'a');

  expect(await withId('k1', 'a')).toMatchObject({ id: 'chosen', isNew: false });
  expect(await withId('k2', 'a')).toMatchObject({ id: 'chosen', isNew: false });
  await expect(withId('k1', 'b')).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
});

test('deleting a run frees its key', async () => {
  const engine = await db.launchEngine({ workflows: [echo] });
  const first = await start(engine, { key: 'freed' });
  await first.result();
  await engine.runs.delete(first.id);

  expect((await start(engine, { key: 'freed', says: 'other' })).isNew).toBe(true);
});

test('in workflow code a key is refused', async () => {
  const outer = workflow('outer', async () => {
    const idempotency = { key: 'inner', fingerprint: 'x' };
    await engine.startWorkflow(echo, 'x', { idempotency });
  });
  const engine = await db.launchEngine({ workflows: [outer, echo] });
  const run = await engine.startWorkflow(outer);

  await expect(run.result()).rejects.toMatchObject({ code: 'OPTION_INVALID' });
});

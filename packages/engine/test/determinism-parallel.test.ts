// Operations of every kind at once: each is recorded as itself, and a replay gives each its own result again.

import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { runStep, sleep, startWorkflow, workflow, type Engine, type StandardSchema } from '../src/index.js';
import { copyRun, historyOf } from './support/histories.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

/** Executes a copy of a finished run from its whole history. */
async function replay<Output>(engine: Engine, id: string): Promise<Output> {
  await copyRun(db, id, `${id} again`, (await historyOf(db, id)).length);
  return engine.getHandle<Output>(`${id} again`).result();
}

const after = <T>(ms: number, value: T): Promise<T> => new Promise((resolve) => setTimeout(() => resolve(value), ms));

test('all that settles at once is recorded as itself, and replays the same [48]', async () => {
  const executed: string[] = [];
  const child = workflow('settling-child', async (value: number) => {
    executed.push(`child ${value}`);
    if (value % 2 === 1) throw new RangeError(`odd ${value}`);
    return value;
  });
  const all = workflow('all settled', async () => {
    const fails = (name: string): Promise<never> =>
      runStep(name, () => {
        executed.push(name);
        throw new TypeError(`${name} failed`);
      });
    const succeeds = (ms: number): Promise<number> => runStep('s', () => after(ms, ms + executed.push('s') * 1_000));
    const started = startWorkflow(child, 10, { id: 'settling-started' });
    const settled = await Promise.allSettled([
      succeeds(15),
      fails('f'),
      succeeds(1),
      fails('f'),
      sleep(10),
      sleep(5),
      ...[1, 2, 3, 4].map((value) => child(value)),
      started,
      succeeds(5),
    ]);
    return settled.map((result) => (result.status === 'fulfilled' ? result.value : String(result.reason)));
  });
  const engine = await db.launchEngine({ workflows: [all, child], pollInterval: '50ms' });
  const run = await engine.startWorkflow(all, undefined, { id: 'all-settled' });
  const first = await run.result();
  const executedFirst = executed.length;

  const again = await replay(engine, run.id);

  expect(again).toEqual(first);
  expect(executed).toHaveLength(executedFirst);
  const ids = (await historyOf(db, run.id)).map(({ name, occurrence }) => `${name} ${occurrence}`);
  expect(new Set(ids).size).toBe(12);
});

test('a race between children has the same winner on replay, whichever ends first there [177]', async () => {
  const speed = { left: 1, right: 40 };
  const left = workflow('left', () => runStep('left step', () => after(speed.left, 'left')));
  const right = workflow('right', () => runStep('right step', () => after(speed.right, 'right')));
  const racing = workflow('racing children', async () => {
    const [winner, ...both] = [await Promise.race([left(), right()]), ...(await Promise.all([left(), right()]))];
    return [winner, both];
  });
  const engine = await db.launchEngine({ workflows: [left, right, racing], pollInterval: '50ms' });
  const run = await engine.startWorkflow(racing, undefined, { id: 'racing-children' });
  const first = await run.result();

  Object.assign(speed, { left: 40, right: 1 });
  const again = await replay(engine, run.id);

  expect(again).toEqual(first);
});

/** A schema that takes its time. */
function slowSchema(ms: () => number): StandardSchema<string> {
  const validate = (value: unknown): Promise<{ value: string }> => after(ms(), { value: String(value) });
  return { '~standard': { version: 1, vendor: 'test', validate } };
}

test('how long the input of a child takes to validate does not decide a race on replay [177]', async () => {
  const speed = { ms: 1 };
  const child = workflow('validated child', async (name: string) => `child ${name}`, {
    input: slowSchema(() => speed.ms),
  });
  const racing = workflow('racing a validation', async () => {
    const [one, two] = [child('one'), runStep('two', () => after(60, 'step two'))];
    const winner = await Promise.race([one, two]);
    return [winner, await Promise.all([one, two]), await runStep('three', () => 'step three')];
  });
  const engine = await db.launchEngine({ workflows: [child, racing], pollInterval: '50ms' });
  const run = await engine.startWorkflow(racing, undefined, { id: 'racing-validation' });
  const first = await run.result();

  speed.ms = 200;
  const again = await replay(engine, run.id);

  expect(first).toEqual(['child one', ['child one', 'step two'], 'step three']);
  expect(again).toEqual(first);
});

test('a child whose input takes long to validate is started although another branch sleeps for long', async () => {
  const executed: string[] = [];
  const child = workflow('child beside a sleep', async (name: string) => void executed.push(name), {
    input: slowSchema(() => 100),
  });
  const parent = workflow('parent beside a sleep', () => Promise.all([sleep('1h'), child('started')]));
  const engine = await db.launchEngine({ workflows: [child, parent] });

  await engine.startWorkflow(parent);
  await waitFor(() => executed.length > 0, { what: 'the child to be executed' });

  expect(executed).toEqual(['started']);
});

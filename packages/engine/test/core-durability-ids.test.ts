import { describe, expect, test } from '@jest/globals';
import { contract, runStep, workflow } from '../src/index.js';
import { gate } from './support/gate.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

describe('a run started twice with one id', () => {
  test('in one process runs once, and both callers get the first result [6]', async () => {
    const executed: string[] = [];
    const greet = workflow('greet', async (name: string) => runStep('greet', () => (executed.push(name), name)));
    const engine = await db.launchEngine({ workflows: [greet] });

    const runs = await Promise.all(
      ['Ada', 'Grace'].map((name) => engine.startWorkflow(greet, name, { id: 'at-once' })),
    );

    expect(await Promise.all(runs.map((run) => run.result()))).toEqual(['Ada', 'Ada']);
    expect(runs.map((run) => run.isNew)).toEqual([true, false]);
    expect(executed).toEqual(['Ada']);
  });

  test('in several processes runs once, and all callers get its result [6]', async () => {
    const executed: number[] = [];
    const greet = workflow('greet', async (name: number) => runStep('greet', () => (executed.push(name), name)));
    const engines = await Promise.all([1, 2, 3].map(() => db.launchEngine({ workflows: [greet] })));

    const runs = await Promise.all(engines.map((engine, n) => engine.startWorkflow(greet, n, { id: 'everywhere' })));

    const results = await Promise.all(runs.map((run) => run.result()));
    expect(executed).toHaveLength(1);
    expect(results).toEqual(runs.map(() => executed[0]));
    expect(runs.filter((run) => run.isNew)).toHaveLength(1);
  });

  test('while it is executing, here or elsewhere, gives its handle [6]', async () => {
    const release = gate<string>();
    const held = workflow('held', async () => runStep('hold', () => release.opened));
    const [here, elsewhere] = await Promise.all([1, 2].map(() => db.launchEngine({ workflows: [held] })));
    await here?.startWorkflow(held, undefined, { id: 'executing' });

    const again = await here?.startWorkflow(held, undefined, { id: 'executing' });
    const other = await elsewhere?.startWorkflow(held, undefined, { id: 'executing' });
    release.open('once');

    expect([again?.isNew, other?.isNew]).toEqual([false, false]);
    expect(await Promise.all([again?.result(), other?.result()])).toEqual(['once', 'once']);
  });

  test.each(['attach', 'reject'] as const)(
    'at once, of two workflows, is RUN_ID_CONFLICT for one: %s [6, 56]',
    async (onDuplicate) => {
      const engine = await db.launchEngine();
      const id = `mixed ${onDuplicate}`;

      const starts = await Promise.allSettled(
        ['one', 'other'].map((name) => engine.startWorkflow(contract(name), undefined, { id, onDuplicate })),
      );

      expect(starts.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
      const reason: unknown = starts[1]?.status === 'rejected' ? starts[1].reason : undefined;
      const error = await perdureErrorOf(Promise.reject(reason as Error), 'RUN_ID_CONFLICT');
      expect(error.details).toEqual({ id, workflow: 'other', existing: 'one' });
    },
  );

  test('and onDuplicate reject is RUN_EXISTS for all but one [6]', async () => {
    const greet = workflow('greet', async (name: string) => name);
    const engines = await Promise.all([1, 2].map(() => db.launchEngine({ workflows: [greet] })));

    const starts = await Promise.allSettled(
      [...engines, ...engines].map((engine) =>
        engine.startWorkflow(greet, 'Ada', { id: 'only-one', onDuplicate: 'reject' }),
      ),
    );

    const failures = starts.flatMap((start) => (start.status === 'rejected' ? [start.reason as Error] : []));
    expect(failures).toHaveLength(3);
    for (const failure of failures) await perdureErrorOf(Promise.reject(failure), 'RUN_EXISTS');
  });
});

describe('starting the id of a finished run', () => {
  test('gives its result without executing anything, here and elsewhere [7]', async () => {
    const executed: string[] = [];
    const greet = workflow('greet', async (name: string) => (executed.push(name), name));
    const engine = await db.launchEngine({ workflows: [greet] });
    const other = await db.launchEngine({ workflows: [greet] });
    await (await engine.startWorkflow(greet, 'Ada', { id: 'finished' })).result();

    const here = await engine.startWorkflow(greet, 'Grace', { id: 'finished' });
    const elsewhere = await other.startWorkflow(greet, 'Edsger', { id: 'finished' });

    expect([await here.result(), await elsewhere.result()]).toEqual(['Ada', 'Ada']);
    expect([here.isNew, elsewhere.isNew]).toEqual([false, false]);
    expect(executed).toEqual(['Ada']);
  });

  test('rejects with its error, if it failed [8]', async () => {
    const executed: string[] = [];
    const fail = workflow('fail', async () => {
      executed.push('fail');
      throw Object.assign(new RangeError('too far'), { code: 'E_FAR' });
    });
    const engine = await db.launchEngine({ workflows: [fail] });
    await (await engine.startWorkflow(fail, undefined, { id: 'failed' })).result().catch(() => undefined);

    const again = await engine.startWorkflow(fail, undefined, { id: 'failed' });

    await expect(again.result()).rejects.toMatchObject({ name: 'RangeError', message: 'too far', code: 'E_FAR' });
    expect(executed).toEqual(['fail']);
  });

  test('rejects with RUN_CANCELLED, if it was cancelled [8]', async () => {
    const engine = await db.launchEngine();
    await (await engine.startWorkflow(contract('later'), undefined, { id: 'cancelled' })).cancel();

    const again = await engine.startWorkflow(contract('later'), undefined, { id: 'cancelled' });

    expect((await perdureErrorOf(again.result(), 'RUN_CANCELLED')).details).toEqual({ id: 'cancelled' });
  });
});

test('a workflow that returns nothing has the result undefined, here and elsewhere [5]', async () => {
  const silent = workflow('silent', async () => {
    await runStep('say nothing', () => undefined);
  });
  const engine = await db.launchEngine({ workflows: [silent] });
  const observer = await db.launchEngine();

  const run = await engine.startWorkflow(silent);

  expect(await run.result()).toBeUndefined();
  expect(await observer.getHandle(run.id).result()).toBeUndefined();
  expect(await observer.runs.get(run.id)).toMatchObject({ status: 'succeeded', output: undefined });
});

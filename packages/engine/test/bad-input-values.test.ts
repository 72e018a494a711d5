import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { contract, runStep, startWorkflow, workflow } from '../src/index.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

const countRows = async (prefix: string): Promise<{ runs: number; steps: number }> => {
  const [counts] = await db.query<{ runs: number; steps: number }>(
    `select (select count(*) from perdure.runs where id like $1)::int4 as runs,
            (select count(*) from perdure.steps where run_id like $1)::int4 as steps`,
    [`${prefix}%`],
  );
  return counts ?? { runs: -1, steps: -1 };
};

const cyclic: Record<string, unknown> = { name: 'a' };
cyclic['self'] = cyclic;

class Basket {
  readonly #items = ['apple'];
  get size(): number {
    return this.#items.length;
  }
}

describe('an input that cannot be stored', () => {
  test.each([
    ['a function', { order: { save: () => 1 } }, '$.order.save'],
    ['a symbol', [1, Symbol('x')], '$[1]'],
    ['a cycle', { order: cyclic }, '$.order.self'],
    ['an instance of a class', { lines: [{ basket: new Basket() }] }, '$.lines[0].basket'],
    ['a promise', { order: Promise.resolve(1) }, '$.order'],
    ['a value in a map', new Map([['sku', { weigh: () => 1 }]]), '$.get("sku").weigh'],
  ])('is rejected at the call, which names workflow and path, and leaves no row: %s [157]', async (_, input, path) => {
    const intake = workflow('intake', async (value: unknown) => value);
    const engine = await db.launchEngine({ workflows: [intake] });

    const error = await perdureErrorOf(engine.startWorkflow(intake, input, { id: 'unstorable-1' }), 'UNSERIALIZABLE');

    expect(error.details).toMatchObject({ what: 'the input of workflow "intake"', path });
    expect(error.message).toContain(path);
    expect(await countRows('unstorable-1')).toEqual({ runs: 0, steps: 0 });
  });

  test('leaves its id free for a start with good input [157]', async () => {
    const intake = workflow('intake', async (value: unknown) => value);
    const engine = await db.launchEngine({ workflows: [intake] });
    await perdureErrorOf(
      engine.startWorkflow(intake, () => 1, { id: 'again' }),
      'UNSERIALIZABLE',
    );

    const run = await engine.startWorkflow(intake, 'good', { id: 'again' });

    expect(run.isNew).toBe(true);
    expect(await run.result()).toBe('good');
  });

  test('of a child is thrown into the parent, which goes on, and no child is made [157]', async () => {
    const child = workflow('child', async (value: unknown) => value);
    const parent = workflow('parent', async () => {
      const caught = await perdureErrorOf(child({ deep: [() => 1] }), 'UNSERIALIZABLE');
      await perdureErrorOf(startWorkflow(child, Symbol('x')), 'UNSERIALIZABLE');
      return [caught.details['path'], await child('good')];
    });
    const engine = await db.launchEngine({ workflows: [parent, child] });

    const run = await engine.startWorkflow(parent, undefined, { id: 'parent-of-bad' });

    expect(await run.result()).toEqual(['$.deep[0]', 'good']);
    expect(await countRows('parent-of-bad/')).toEqual({ runs: 1, steps: 0 });
  });
});

describe('a result that cannot be stored', () => {
  test('of a workflow fails the run with the path, and rejects its handle [157]', async () => {
    const outbound = workflow('outbound', async (): Promise<unknown> => ({ rows: [1, { close: () => 1 }] }));
    const engine = await db.launchEngine({ workflows: [outbound] });
    const run = await engine.startWorkflow(outbound, undefined, { id: 'bad-result' });

    const error = await perdureErrorOf(run.result(), 'UNSERIALIZABLE');

    expect(error.details).toMatchObject({ path: '$.rows[1].close' });
    expect(error.message).toContain('workflow "outbound" (run bad-result)');
    expect(await db.query(`select status, output from perdure.runs where id = 'bad-result'`)).toEqual([
      { status: 'failed', output: null },
    ]);
  });

  test('of a step is an error that workflow code can catch, and is recorded as such [157]', async () => {
    const fetching = workflow('fetching', async () => {
      const error = await perdureErrorOf(
        runStep('fetch', () => ({ socket: cyclic })),
        'UNSERIALIZABLE',
      );
      return error.details['path'];
    });
    const engine = await db.launchEngine({ workflows: [fetching] });

    const run = await engine.startWorkflow(fetching, undefined, { id: 'bad-step' });

    expect(await run.result()).toBe('$.socket.self');
    const [step] = await engine.runs.steps('bad-step');
    expect(step).toMatchObject({ name: 'fetch', output: undefined, error: { code: 'UNSERIALIZABLE' } });
  });
});

describe('what a step throws', () => {
  test.each([
    ['undefined', undefined],
    ['null', null],
    ['text', 'out of stock'],
    ['a plain object', { code: 409, lines: [1, 2] }],
  ])('reaches workflow code and caller as it is: %s [158]', async (name, thrown) => {
    const throwing = workflow('throwing', async () => {
      await runStep('throw', () => {
        throw thrown; // oxlint-disable-line typescript/only-throw-error -- the point of the test
      });
    });
    const engine = await db.launchEngine({ workflows: [throwing] });

    const run = await engine.startWorkflow(throwing, undefined, { id: `throws ${name}` });

    const caught = await run.result().then(
      () => 'nothing',
      (error: unknown) => ({ error }),
    );
    expect(caught).toEqual({ error: thrown });
  });

  test.each([
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
    ['a cycle', cyclic],
    ['an object that cannot be read', new Proxy({}, { ownKeys: () => { throw new Error('unreadable'); } })], // prettier-ignore
    ['an error with an unreadable message', Object.defineProperty(new Error(), 'message', { get: () => { throw new Error('unreadable'); } })], // prettier-ignore
  ])('fails the run even if it cannot be stored: %s [158]', async (name, thrown) => {
    const throwing = workflow('throwing', async () => {
      await runStep('throw', () => {
        throw thrown; // oxlint-disable-line typescript/only-throw-error -- the point of the test
      });
    });
    const engine = await db.launchEngine({ workflows: [throwing] });

    const run = await engine.startWorkflow(throwing, undefined, { id: `throws oddly ${name}` });

    await run.result().catch(() => undefined);
    expect(await run.status()).toBe('failed');
  });

  test('keeps name, message, stack, code and cause chain as an error, for the caller in another process [158]', async () => {
    const declining = workflow('declining', async () => {
      await runStep('charge', () => {
        const cause = new RangeError('limit 5', { cause: new Error('account frozen') });
        throw Object.assign(new TypeError('declined', { cause }), { code: 'E_DECLINED', name: 'CardError' });
      });
    });
    const engine = await db.launchEngine({ workflows: [declining] });
    const observer = await db.launchEngine();
    await engine.startWorkflow(declining, undefined, { id: 'declined-1' });

    const error: unknown = await observer.getHandle('declined-1').result().catch((caught: unknown) => caught); // prettier-ignore

    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({ name: 'CardError', message: 'declined', code: 'E_DECLINED' });
    expect(error).toMatchObject({ cause: { name: 'RangeError', cause: { message: 'account frozen' } } });
    expect(error).toHaveProperty('stack', expect.stringContaining('bad-input-values.test'));
  });
});

describe('rows written by hand', () => {
  const insertRun = (id: string, input: string): Promise<unknown> =>
    db.query(
      `insert into perdure.runs (id, workflow, status, due_at, input) values ($1, 'typed', 'queued', now(), $2)`,
      [id, input],
    );

  test('run like any other [159]', async () => {
    const typed = workflow('typed', async (order: { total: number }) => order.total * 2);
    await insertRun('by-hand', '{"total": 21}');

    const engine = await db.launchEngine({ workflows: [typed], pollInterval: '50ms' });

    expect(await engine.getHandle('by-hand').result()).toBe(42);
  });

  test('with malformed input fail their run with PAYLOAD_CORRUPT, and the others go on [159]', async () => {
    const typed = workflow('typed', async (order: { total: number }) => order.total * 2);
    await insertRun('malformed', '{"total": ');
    await insertRun('well-formed', '{"total": 1}');

    const engine = await db.launchEngine({ workflows: [typed], pollInterval: '50ms' });

    const error = await perdureErrorOf(engine.getHandle('malformed').result(), 'PAYLOAD_CORRUPT');
    expect(error.message).toContain('the input of run malformed');
    expect(await engine.getHandle('well-formed').result()).toBe(2);
  });

  test('with a malformed step result fail their run instead of replaying for ever [159]', async () => {
    const typed = workflow('typed', async () => runStep('compute', () => 1));
    await insertRun('bad-history', 'null');
    await db.query(
      `update perdure.runs set status = 'waiting', epoch = 1, started_at = now() where id = 'bad-history'`,
    );
    await db.query(
      `insert into perdure.steps (run_id, seq, name, occurrence, kind, epoch, output, started_at, finished_at)
       values ('bad-history', 1, 'compute', 1, 'step', 1, '{"half": ', now(), now())`,
    );

    const engine = await db.launchEngine({ workflows: [typed], pollInterval: '50ms' });

    const error = await perdureErrorOf(engine.getHandle('bad-history').result(), 'PAYLOAD_CORRUPT');
    expect(error.message).toContain('"compute"');
  });
});

test('a run whose workflow no live process hosts is logged as stranded, and runs once some process hosts it', async () => {
  const engine = await db.launchEngine();
  const run = await engine.startWorkflow(contract<string, string>('nobody'), 'Ada', { id: 'stranded-1' });
  await db.query(`update perdure.runs set due_at = now() - interval '1 minute' where id = 'stranded-1'`);
  const warnings: unknown[] = [];
  const ignore = (): void => undefined;
  const warn = (fields: unknown): void => void warnings.push(fields);

  const host = await db.launchEngine({ logger: { debug: ignore, info: ignore, warn, error: ignore } });
  const stranded = { workflow: 'nobody', version: '', queue: undefined, runs: 1 };
  await waitFor(() => warnings.some((fields) => isDeepStrictEqual(fields, stranded)), { what: 'the warning' });
  host.register(workflow('nobody', async (name: string) => `Hello ${name}`));

  expect(await run.result()).toBe('Hello Ada');
});

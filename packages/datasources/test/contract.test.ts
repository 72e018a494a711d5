// What every data source keeps, whatever library it is for.

import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnProcess, waitFor } from '@perdure/testing';
import { receive, runTransaction, topic, workflow, type TransactionOptions } from 'perdure';
import { adapters, type Adapter } from './support/adapters.js';
import { useSourceDatabase } from './support/database.js';

const db = useSourceDatabase();
const go = topic<null>('go');
const greet = workflow('greet', async (name: string) => `hello ${name}`);
const hear = workflow('hear', async () => receive(go));
const payments = (run: string): Promise<unknown[]> => db.query('select id from payments where run_id = $1', [run]);
const payment = (run: string): string => `insert into payments (run_id) values ('${run}') returning id`;

describe.each(Object.entries(adapters))('%s', (name, open) => {
  let adapter: Adapter<unknown>;
  beforeAll(async () => {
    adapter = await open(db.url, (opened) => opened as Adapter<unknown>);
  });
  afterAll(() => adapter.close());

  const transact = (
    step: string,
    body: (run: (statement: string) => Promise<unknown>, transaction: unknown) => Promise<unknown>,
    options: TransactionOptions = {},
  ): Promise<unknown> =>
    runTransaction(
      step,
      adapter.source,
      (transaction) => body((statement) => adapter.run(transaction, statement), transaction),
      options,
    );

  test('writes and result are there together [160]', async () => {
    const paying = workflow('paying', (id: string) => transact('pay', (run) => run(payment(id))));
    const engine = await db.launchEngine({ workflows: [paying] });

    const paid = await (await engine.startWorkflow(paying, `${name} pays`)).result();

    expect(await payments(`${name} pays`)).toEqual(paid);
  });

  test('what has committed before the process died does not happen again [160]', async () => {
    const id = `${name} dies`;
    const program = fileURLToPath(new URL('programs/payer.ts', import.meta.url));
    const child = spawnProcess(program, { args: [name, db.url, id], crashAt: 'transaction:pay' });
    await child.exited;
    expect(await payments(id)).toHaveLength(1);
    const paying = workflow('paying', (runId: string) => transact('pay', (run) => run(payment(runId))));

    const engine = await db.launchEngine({ workflows: [paying] });

    expect(await engine.getHandle(id).result()).toEqual(await payments(id));
  });

  test('what the body throws rolls back, is recorded, and reaches the caller as it was [161]', async () => {
    const failing = workflow('failing', (id: string) =>
      transact('fail', async (run) => {
        await run(payment(id));
        throw Object.assign(new RangeError('no'), { code: 'TOO_MUCH' });
      }),
    );
    const engine = await db.launchEngine({ workflows: [failing] });

    const run = await engine.startWorkflow(failing, `${name} fails`);

    await expect(run.result()).rejects.toMatchObject({ name: 'RangeError', message: 'no', code: 'TOO_MUCH' });
    expect(await payments(`${name} fails`)).toEqual([]);
  });

  test('serialization failures are tried again [162]', async () => {
    await db.query('insert into counters values (1, 0) on conflict (id) do update set n = 0');
    const counting = workflow('counting', () =>
      transact(
        'count',
        async (run) => {
          const [row] = (await run('select n from counters where id = 1')) as { n: number }[];
          await run(`update counters set n = ${(row?.n ?? 0) + 1} where id = 1`);
        },
        { isolation: 'serializable' },
      ),
    );
    const engine = await db.launchEngine({ workflows: [counting] });

    const runs = await Promise.all(Array.from({ length: 4 }, () => engine.startWorkflow(counting)));
    await Promise.all(runs.map((run) => run.result()));

    expect(await db.query('select n from counters')).toEqual([{ n: 4 }]);
  });

  test.each(['read committed', 'repeatable read', 'serializable'] as const)('%s is what it says', async (isolation) => {
    const asking = workflow('asking', () => transact('ask', (run) => run('show transaction_isolation'), { isolation }));
    const engine = await db.launchEngine({ workflows: [asking] });

    const run = await engine.startWorkflow(asking);

    expect(await run.result()).toEqual([{ transaction_isolation: isolation }]);
  });

  test('a read-only transaction cannot write, and leaves nothing behind [163]', async () => {
    const reading = workflow('reading', async (statement: string) =>
      transact('read', (run) => run(statement), { readOnly: true }),
    );
    const engine = await db.launchEngine({ workflows: [reading] });

    const read = await engine.startWorkflow(reading, 'select 1 as one');
    const wrote = await engine.startWorkflow(reading, payment(`${name} reads`));

    expect(await read.result()).toEqual([{ one: 1 }]);
    await expect(wrote.result()).rejects.toThrow(/read-only|Failed query/);
    expect(await payments(`${name} reads`)).toEqual([]);
    expect(await db.query('select from perdure.transaction_results where run_id = $1', [read.id])).toEqual([]);
  });

  test('an owner that has lost the run commits nothing [164]', async () => {
    const id = `${name} is fenced`;
    let attempts = 0;
    const fenced = workflow('fenced', async () =>
      transact('pay', async (run) => {
        await run(payment(id));
        attempts += 1;
        if (attempts === 1) await db.query('update perdure.runs set epoch = epoch + 1 where id = $1', [id]);
      }),
    );
    const engine = await db.launchEngine({ workflows: [fenced] });
    const run = await engine.startWorkflow(fenced, undefined, { id });
    await waitFor(async () => attempts, { what: 'the first attempt', until: (made) => made === 1 });

    await db.query("update perdure.runs set status = 'waiting', executor = null, due_at = now() where id = $1", [id]);

    await run.result();
    expect(await payments(id)).toHaveLength(1);
  });

  test('of two executions of one step, the loser rolls back and returns what the winner has committed [164]', async () => {
    const id = `${name} loses`;
    const losing = workflow('losing', () =>
      transact('pay', async (run) => {
        await run(payment(id));
        await db.query(
          "insert into perdure.transaction_results (run_id, name, occurrence, output) values ($1, 'pay', 1, '\"won\"')",
          [id],
        );
        return 'lost';
      }),
    );
    const engine = await db.launchEngine({ workflows: [losing] });

    const run = await engine.startWorkflow(losing, undefined, { id });

    expect(await run.result()).toBe('won');
    expect(await payments(id)).toEqual([]);
  });

  test('a run and a message commit with the transaction that makes them [90, 155]', async () => {
    const [greeted, heard] = [`${name} greets`, `${name} hears`];
    const both = workflow('both', (outcome: string) =>
      transact('both', async (run, transaction) => {
        await run(payment(greeted));
        const option = { transaction: adapter.source.use(transaction) };
        const started = await engine.startWorkflow(greet, 'Ada', { id: greeted, ...option });
        await engine.send(heard, go, null, { dedupKey: 'once', ...option });
        if (outcome === 'rolls back') throw new Error('no');
        return started.isNew;
      }),
    );
    const engine = await db.launchEngine({ workflows: [both, greet, hear] });
    const hearing = await engine.startWorkflow(hear, undefined, { id: heard });

    await expect((await engine.startWorkflow(both, 'rolls back')).result()).rejects.toThrow('no');
    const traces = [await payments(greeted), await db.query('select from perdure.messages where run_id = $1', [heard])];
    const isNew = await (await engine.startWorkflow(both, 'commits')).result();

    expect(traces).toEqual([[], []]);
    expect(isNew).toBe(true);
    expect(await engine.getHandle(greeted, greet).result()).toBe('hello Ada');
    expect(await hearing.result()).toBe(null);
    expect(await payments(greeted)).toHaveLength(1);
  });

  test('closing the engine leaves the library open [165]', async () => {
    const engine = await db.launchEngine({ workflows: [] });

    await engine.close();

    expect(await adapter.runAlone('select 1 as one')).toEqual([{ one: 1 }]);
  });
});

// A database that stops taking writes under an engine that works, and takes them again later.

import { afterEach, describe, expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { runStep, sleep, workflow, type Logger } from '../src/index.js';
import { gate } from './support/gate.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

// Commits that changed this table fail, as they do when the disk is full; statements before the commit do not.
async function failCommits(table: string, code: string): Promise<void> {
  await db.query(`create function public.fail_commit() returns trigger language plpgsql as $$
    begin raise exception 'could not extend file: no space left on device' using errcode = '${code}'; end $$`);
  await db.query(`create constraint trigger fail_commit after insert or update or delete on perdure.${table}
    deferrable initially deferred for each row execute function public.fail_commit()`);
}

const mendCommits = (): Promise<unknown> => db.query('drop function if exists public.fail_commit cascade');

afterEach(mendCommits);

interface Line {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

// A logger that keeps what is more than information.
function collectComplaints(): { readonly lines: readonly Line[]; readonly logger: Logger } {
  const lines: Line[] = [];
  const keep = (fields: Line['fields'], message: string): void => void lines.push({ fields, message });
  return { lines, logger: { debug: () => undefined, info: () => undefined, warn: keep, error: keep } };
}

const diskFull = '53100';

describe('while the disk is full', () => {
  test.each(['runs', 'steps'])(
    'for %s, runs wait; then they go on, each step executed and recorded once',
    async (table) => {
      const executed: string[] = [];
      const release = gate();
      const shop = workflow('shop', async (n: number) => {
        await runStep('reserve', async () => (executed.push(`reserve ${n}`), release.opened));
        await runStep('charge', () => executed.push(`charge ${n}`));
        return n;
      });
      const { lines, logger } = collectComplaints();
      const engine = await db.launchEngine({ workflows: [shop], logger, lease: '10s' });
      const runs = await Promise.all([1, 2, 3].map((n) => engine.startWorkflow(shop, n, { id: `${table} ${n}` })));

      await failCommits(table, diskFull);
      release.open();
      await waitFor(() => lines.find(({ message }) => message === 'the journal waits for the database'), {
        what: 'a warning',
      });
      await mendCommits();

      expect(await Promise.all(runs.map((run) => run.result()))).toEqual([1, 2, 3]);
      expect(executed.toSorted()).toEqual(
        [1, 2, 3].map((n) => `charge ${n}`).concat([1, 2, 3].map((n) => `reserve ${n}`)),
      );
      expect(await db.query(`select name from perdure.steps where run_id like '${table} %'`)).toHaveLength(6);
      expect(await db.query(`select epoch from perdure.runs where id like '${table} %' and epoch <> 1`)).toEqual([]);
    },
  );

  test('a start waits, and its run is executed once when there is room again', async () => {
    const executed: string[] = [];
    const greet = workflow('greet', async (name: string) => runStep('greet', () => executed.push(name)));
    const { lines, logger } = collectComplaints();
    const engine = await db.launchEngine({ workflows: [greet], logger, lease: '10s' });
    await failCommits('runs', diskFull);

    const starting = engine.startWorkflow(greet, 'Ada', { id: 'full-start' });
    await waitFor(() => lines.length > 0, { what: 'a warning' });
    expect(executed).toEqual([]);
    await mendCommits();

    expect(await (await starting).result()).toBe(1);
    expect(executed).toEqual(['Ada']);
    expect(lines[0]?.fields['err']).toMatchObject({ code: 'DATABASE_REFUSED' });
  });

  test('timers, retries and claims wait, and take place once when there is room again', async () => {
    const attempts: number[] = [];
    const flaky = workflow('flaky', async () => {
      await sleep('100ms');
      return runStep('try', () => {
        if (attempts.push(attempts.length + 1) < 3) throw new Error('not yet');
        return attempts.length;
      }, { retry: { maxAttempts: 3, delay: '50ms' } }); // prettier-ignore
    });
    const { lines, logger } = collectComplaints();
    const engine = await db.launchEngine({ workflows: [flaky], logger, lease: '10s', parkAfter: 0 });
    const run = await engine.startWorkflow(flaky, undefined, { delay: '100ms', id: 'full-timers' });

    await failCommits('runs', diskFull);
    await waitFor(() => lines.length > 0, { what: 'a warning' });
    await mendCommits();
    await waitFor(() => attempts.length > 0, { what: 'the first attempt' });
    await failCommits('step_attempts', diskFull);
    await waitFor(() => lines.some(({ message }) => message.includes('recording an attempt')), { what: 'a warning' }).catch(() => undefined); // prettier-ignore
    await mendCommits();

    expect(await run.result()).toBe(3);
    expect(attempts).toEqual([1, 2, 3]);
  });

  test('for longer than a caller waits, the start is START_UNCONFIRMED, and its run is executed all the same', async () => {
    const executed: string[] = [];
    const greet = workflow('greet', async (name: string) => runStep('greet', () => executed.push(name)));
    const engine = await db.launchEngine({ workflows: [greet], lease: '30s' });
    await failCommits('runs', diskFull);

    const error = await perdureErrorOf(engine.startWorkflow(greet, 'Ada', { id: 'unconfirmed' }), 'START_UNCONFIRMED');
    await mendCommits();

    expect(error.details).toMatchObject({
      id: 'unconfirmed',
      reason: expect.stringContaining('no space left'),
    });
    const again = await engine.startWorkflow(greet, 'Grace', { id: 'unconfirmed' });
    expect(await again.result()).toBe(1);
    expect(executed).toEqual(['Ada']);
  });
});

describe('while the database refuses a write for a reason of its own', () => {
  test('a start is DATABASE_REFUSED with that reason, and the runs beside it are not harmed', async () => {
    const greet = workflow('greet', async (name: string) => runStep('greet', () => `Hello ${name}`));
    const engine = await db.launchEngine({ workflows: [greet] });
    await db.query(`alter table perdure.runs add constraint no_ada check (input not like '%Augusta%')`);

    const starts = ['Grace', 'Augusta', 'Edsger'].map((name) =>
      engine.startWorkflow(greet, name, { id: `no ${name}` }),
    );
    const error = await perdureErrorOf(starts[1] ?? Promise.resolve(), 'DATABASE_REFUSED');

    expect(error.message).toContain('violates check constraint "no_ada"');
    expect(await (await starts[0])?.result()).toBe('Hello Grace');
    expect(await (await starts[2])?.result()).toBe('Hello Edsger');
    expect(await engine.runs.get('no Augusta')).toBeUndefined();
    await db.query('alter table perdure.runs drop constraint no_ada');
  });

  test.each([
    ['steps', 'run lost'],
    ['runs', 'releasing a run failed'],
    ['step_attempts', 'a failed attempt was not recorded'],
  ])(
    'for %s, nothing is executed over and over or recorded in part, and the run goes on later',
    async (table, complaint) => {
      const [reached, release] = [gate(), gate()];
      const executed: string[] = [];
      const charge = async (): Promise<number> => {
        const isFirst = executed.push('charge') === 1;
        reached.open();
        await release.opened;
        if (isFirst) throw new Error('not yet');
        return executed.length;
      };
      const shop = workflow('shop', async () => runStep('charge', charge, { retry: { maxAttempts: 5, delay: 0 } }));
      const { lines, logger } = collectComplaints();
      const engine = await db.launchEngine({ workflows: [shop], logger, pollInterval: '50ms', lease: '10s' });
      const id = `rejected ${table}`;
      const run = await engine.startWorkflow(shop, undefined, { id });
      await reached.opened;

      await failCommits(table, 'P0001');
      release.open();
      await waitFor(() => lines.some(({ message }) => message.startsWith(complaint)), { what: complaint });
      const before = executed.length;
      await mendCommits();
      await waitFor(() => run.status(), { what: 'the run to be released', until: (status) => status === 'waiting' });
      await db.query('update perdure.runs set due_at = now() where id = $1', [id]);

      expect(await run.result()).toBe(before + 1);
      expect(before).toBe(table === 'step_attempts' ? 1 : 2);
      const steps = await db.query('select seq, name, output from perdure.steps where run_id = $1', [id]);
      expect(steps).toEqual([{ seq: 1, name: 'charge', output: String(before + 1) }]);
    },
  );

  test('a run stays away for a while before it is tried again', async () => {
    const shop = workflow('shop', async () => runStep('charge', () => 1));
    const engine = await db.launchEngine({ workflows: [shop] });
    await failCommits('steps', 'P0001');

    const run = await engine.startWorkflow(shop);

    const info = await waitFor(() => engine.runs.get(run.id), {
      what: 'the run to be released',
      until: (found) => found?.status === 'waiting',
    });
    const [clock] = await db.query<{ now: Date }>('select now() as now');
    expect((info.dueAt?.getTime() ?? 0) - (clock?.now.getTime() ?? 0)).toBeGreaterThan(20_000);
  });
});

describe('a server that turns read-only under an engine', () => {
  test('keeps its writes waiting, and gets them when it can be written to again', async () => {
    const name = new URL(db.url).pathname.slice(1);
    const executed: string[] = [];
    const release = gate();
    const shop = workflow('shop', async () => {
      await runStep('reserve', async () => (executed.push('reserve'), release.opened));
      return runStep('charge', () => executed.push('charge'));
    });
    const { lines, logger } = collectComplaints();
    const engine = await db.launchEngine({ workflows: [shop], logger, lease: '10s', database: db.url });
    const run = await engine.startWorkflow(shop, undefined, { id: 'failover' });
    const admin = await db.connect();
    await admin.query('set default_transaction_read_only = off');
    const disconnectAll = `select pg_terminate_backend(pid) from pg_stat_activity
                           where datname = current_database() and application_name = 'perdure'`;

    await admin.query(`alter database ${name} set default_transaction_read_only = on`);
    await admin.query(disconnectAll);
    release.open();
    await waitFor(
      () => lines.find(({ fields }) => (fields['err'] as { code?: string }).code === 'DATABASE_READ_ONLY'),
      {
        what: 'a complaint of the journal',
      },
    );
    await admin.query(`alter database ${name} reset default_transaction_read_only`);

    expect(await run.result()).toBe(2);
    expect(executed).toEqual(['reserve', 'charge']);
  });
});

// What parked runs cost a process: rows, but neither memory nor statements.

import { expect, test } from '@jest/globals';
import { waitFor, type SpawnedProcess } from '@perdure/testing';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const patienceMs = 180_000;
// The tests' own are shorter.
const defaults = { lease: '6s', pollInterval: '5s' };
const megabyte = 1024 ** 2;

interface Report {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
  readonly statements: number;
}

async function ask(child: SpawnedProcess, command: string): Promise<Report> {
  child.send(command);
  return (await child.message('report', { timeoutMs: patienceMs })) as unknown as Report;
}

async function allParked(count: number): Promise<void> {
  const sql = `select count(*)::int as running from perdure.runs where status <> 'waiting'`;
  await waitFor(async () => (await db.query<{ running: number }>(sql))[0]?.running === 0, {
    what: `all ${count} runs to be parked`,
    timeoutMs: 30_000,
  });
}

test(
  '100,000 parked runs leave less than 50 MB in the process that parked them [181]',
  async () => {
    const child = db.spawn('parked-crowd', { nodeOptions: ['--expose-gc'], engine: { lease: '30s' } });
    await child.message('ready');
    const parks = 20_000;
    await ask(child, 'park 4000'); // code is compiled, buffers and heap have grown to their size
    await allParked(4_001);
    const before = await ask(child, 'measure');

    await ask(child, `park ${parks}`);
    await allParked(parks + 4_002);
    const after = await ask(child, 'measure');

    const share = parks / 100_000;
    expect(after.heapUsed + after.external - before.heapUsed - before.external).toBeLessThan(50 * megabyte * share);
    expect(after.rss - before.rss).toBeLessThan(50 * megabyte);
  },
  patienceMs,
);

test(
  '100,000 parked runs at most double the statements of an idle process, and cost it no memory [181]',
  async () => {
    const child = db.spawn('parked-crowd', { nodeOptions: ['--expose-gc'], engine: defaults });
    await child.message('ready');
    const idle = await statementsIn(child, 6_000);
    const before = await ask(child, 'measure');
    await db.query(
      `insert into perdure.runs (id, workflow, status, epoch, due_at, input, started_at)
       select 'crowd ' || n, 'napping', 'waiting', 1, now() + n * interval '1 minute' + interval '1 hour', '"x"', now()
       from generate_series(1, 100000) n`,
    );

    const crowded = await statementsIn(child, 6_000);
    const after = await ask(child, 'measure');

    expect(crowded).toBeLessThanOrEqual(2 * idle);
    expect(crowded).toBeLessThan(2 * 6);
    expect(after.rss - before.rss).toBeLessThan(50 * megabyte);
  },
  patienceMs,
);

/** The statements of a span of time, in which nothing else is asked of the process. */
async function statementsIn(child: SpawnedProcess, ms: number): Promise<number> {
  const { statements } = await ask(child, 'measure');
  const endsAt = Date.now() + ms;
  await waitFor(() => Date.now() >= endsAt, { what: 'the time to pass', timeoutMs: 2 * ms });
  return (await ask(child, 'measure')).statements - statements;
}

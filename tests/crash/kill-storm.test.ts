// Processes die at random while they work, again and again. In the end everything has happened as if none had.

import { expect, test } from '@jest/globals';
import { seededRandom, waitFor, type SpawnedProcess } from '@perdure/testing';
import { contract, schedule, type Engine, type RunHandle, type Tick } from 'perdure';
import { setTimeout as delay } from 'node:timers/promises';
import {
  backlog,
  bulkPayers,
  chunks,
  narrowLimits,
  narrowQueue,
  stormTables,
  talkingScenarios,
  tickMs,
} from './programs/storm-workflows.js';
import { scenarios as silentScenarios, type Input } from './programs/workflows.js';
import { useDurableDatabase } from './support/durable-database.js';
import { findRepetitions } from './support/effects.js';

const db = useDurableDatabase();
const runCount = Number(process.env['PERDURE_STORM_RUNS'] || 300);
const seed = Number(process.env['PERDURE_STORM_SEED'] || Date.now() % 1_000_000);
const minutes = Number(process.env['PERDURE_STORM_MINUTES'] || 0.4);
const scenarios = { ...silentScenarios, ...talkingScenarios };
const names = Object.keys(scenarios);
const timeoutMs = 120_000 + 120_000 * minutes + 30 * runCount;
const ticking = contract<Tick>('ticking');
const bulk = contract<number, number>('bulk');
const bulkSize = 3_000;
const bulks = 2;

/** Four workers, one of which is killed every half to two seconds and replaced. Call the result to end that. */
function startStorm(): () => Promise<number> {
  const random = seededRandom(seed);
  const workers: SpawnedProcess[] = [1, 2, 3, 4].map(() => db.spawnWorker({ lease: '1s', parkAfter: '200ms' }));
  const control = new AbortController();
  let kills = 0;
  const storm = async (): Promise<void> => {
    while (!control.signal.aborted) {
      await delay(random.integer(500, 2_000), undefined, { signal: control.signal }).catch(() => undefined);
      if (control.signal.aborted) return;
      const victim = random.integer(0, 3);
      workers[victim]?.kill('SIGKILL');
      workers[victim] = db.spawnWorker({ lease: '1s', parkAfter: '200ms' });
      kills += 1;
    }
  };
  const ended = storm();
  return async () => {
    control.abort();
    await ended;
    return kills;
  };
}

/** What a run came to, in the form of the model. */
async function outcomeOf(run: RunHandle<number>): Promise<number | string> {
  return run.result().catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
}

interface Started {
  readonly name: string;
  readonly n: number;
  readonly run: RunHandle<number>;
}

/** Starts runs of all scenarios in turn, evenly over the time. */
async function startAll(client: Engine): Promise<Started[]> {
  const runs: Started[] = [];
  for (let n = 0; n < runCount; n += 1) {
    const bulkNumber = Math.floor((n * bulks) / runCount);
    if (n === Math.ceil((bulkNumber * runCount) / bulks)) await startBulk(client, bulkNumber);
    const name = names[n % names.length] ?? '';
    runs.push({ name, n, run: await client.startWorkflow(contract<Input, number>(name), { n, pauseMs: 30 }) });
    await delay((minutes * 60_000) / runCount);
  }
  return runs;
}

async function startBulk(client: Engine, number: number): Promise<void> {
  const inputs = Array.from({ length: bulkSize }, (_, n) => number * bulkSize + n);
  await client.startWorkflows(
    bulk,
    inputs.map((input) => ({ input, queue: backlog })),
  );
}

/** Runs whose streams are not what one process would have written. */
async function findTornStreams(runs: readonly Started[]): Promise<unknown[]> {
  const rows = await db.query<{ id: string; written: string }>(
    `select run_id as id, string_agg(coalesce(value, 'end'), ' ' order by position) as written
     from perdure.stream_chunks group by run_id`,
  );
  const written = new Map(rows.map((row) => [row.id, row.written]));
  return runs
    .filter(({ name }) => name === 'streams')
    .map(({ n, run }) => ({ n, found: written.get(run.id) }))
    .filter(({ n, found }) => found !== [...Array.from({ length: chunks }, (_, at) => n + at), 'end'].join(' '));
}

/** The most that were in the narrow queue at once. Of a run that was executed again, only the last time counts. */
async function mostAtOnce(group: string): Promise<number> {
  const [row] = await db.query<{ most: number }>(
    `with last as (select distinct on (run) * from spans order by run, id desc)
     select max(pile)::int4 as most
     from (select sum(change) over (partition by ${group} order by at, change rows unbounded preceding) as pile
           from (select key, began_at as at, 1 as change from last where ended_at is not null
                 union all
                 select key, ended_at, -1 from last where ended_at is not null) changes) piles`,
  );
  return row?.most ?? 0;
}

test(
  `every run comes to what it would without crashes, and no recorded step is repeated (seed ${seed}) [187]`,
  async () => {
    await db.query(stormTables);
    const client = await db.launchEngine({ lease: '1s', queues: [narrowQueue, backlog] });
    await client.schedules.create(schedule('ticks', { every: tickMs }, ticking, { catchUp: 'all' }));
    const endStorm = startStorm();

    const runs = await startAll(client);
    const outcomes = await Promise.all(runs.map(async ({ name, n, run }) => [name, n, await outcomeOf(run)] as const));
    await client.schedules.pause('ticks');
    const kills = await endStorm();

    const wrong = outcomes.filter(([name, n, outcome]) => outcome !== scenarios[name]?.(n));
    const stuck = await waitFor(
      () => db.query(`select id, status, epoch from perdure.runs where status not in ('succeeded', 'failed')`),
      { what: 'the started children and ticks to finish', until: ({ length }) => length === 0 },
    );
    expect({ wrong, stuck, repetitions: await findRepetitions(db) }).toEqual({ wrong: [], stuck: [], repetitions: [] });
    expect(await findTornStreams(runs)).toEqual([]);
    expect(kills).toBeGreaterThan(10);
    expect(await db.query('select from perdure.runs where recoveries > 0')).not.toEqual([]);
    await expectExactlyOnce();
    expect(await mostAtOnce('1')).toBeGreaterThan(2);
    expect(await mostAtOnce('1')).toBeLessThanOrEqual(narrowLimits.concurrency);
    expect(await mostAtOnce('key')).toBeLessThanOrEqual(narrowLimits.perKey.concurrency);
  },
  timeoutMs,
);

/** Every payment is there once, and every tick of the time in which there were ticks. */
async function expectExactlyOnce(): Promise<void> {
  const payers = names.indexOf('payments');
  const paid = Array.from({ length: runCount }, (_, n) => n).filter((n) => n % names.length === payers);
  const payments = await db.query<{ n: number; what: string }>('select n, what from payments order by n, what');
  expect(payments).toEqual(paid.flatMap((n) => ['first', 'second'].map((what) => ({ n, what }))));
  const expectedBulks = Array.from({ length: (bulks * bulkSize) / bulkPayers }, (_, at) => ({ n: at * bulkPayers }));
  expect(await db.query('select n from bulks order by n')).toEqual(expectedBulks);
  const ended = await db.query(
    "select from perdure.runs where workflow = 'bulk' and status = 'succeeded' and output = input",
  );
  expect(ended).toHaveLength(bulks * bulkSize);
  const [ticks] = await db.query<{ all: number; different: number; expected: number }>(
    `select count(*)::int4 as all, count(distinct scheduled_at)::int4 as different,
            (extract(epoch from max(scheduled_at) - min(scheduled_at)) * 1000 / $1 + 1)::int4 as expected
     from ticks`,
    [tickMs],
  );
  const expected = ticks?.expected ?? 0;
  expect(ticks).toEqual({ all: expected, different: expected, expected });
  expect(expected).toBeGreaterThan(10);
}

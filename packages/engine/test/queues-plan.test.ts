// The plan of the claim, with much history and a long line: only the indexes made for it, and no more than it takes.

import { expect, test } from '@jest/globals';
import pg from 'pg';
import { queue } from '../src/index.js';
import { startupOptions } from '../src/store/connection.js';
import { lockRuns } from '../src/store/open-claims.js';
import { claimRuns, type Claimant } from '../src/store/queues.js';
import { textFor, type Queryable, type Row, type Statement } from '../src/store/sql.js';
import { newExecutorId } from '../src/values/ids.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const executor = newExecutorId();
// The full size, `npm run test:limits`: 5 million finished and 1 million in line.
const finished = Number(process.env['PERDURE_FINISHED_RUNS'] || 60_000);
const queued = Number(process.env['PERDURE_QUEUED_RUNS'] || 40_000);
const claimant: Claimant = {
  executor,
  hosted: [{ workflow: 'job', version: '' }],
  limit: 100,
  standing: { serves: undefined, live: new Map(), cursors: new Map(), share: 50 },
  withSuspect: true,
};

interface Plan {
  readonly 'Node Type': string;
  readonly 'Index Name'?: string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Plan[];
}

function nodesOf(plan: Plan): readonly Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}

const claims = {
  claim: (db: Queryable) => claimRuns(db, claimant),
  'open claim': (db: Queryable) => lockRuns(db, { ...claimant, ...claimant.standing, marks: [] }),
} as const;

const indexesOf = {
  claim: ['runs_delayed', 'runs_due', 'runs_held', 'runs_pkey', 'runs_ready'],
  'open claim': ['runs_ready'],
} as const;

// What the claim sends, from itself.
async function statementOf(claim: keyof typeof claims): Promise<{ text: string; values: unknown[] }> {
  const sent: { statement: Statement; values: readonly unknown[] }[] = [];
  const flags = {
    has_passed_over: false,
    has_suspects: false,
    has_limits: false,
    has_more: false,
    is_contended: false,
  };
  const row: Row = { id: null, started_at_ms: 0, ...flags };
  const query = async (statement: Statement, values: readonly unknown[]): Promise<Row[]> => {
    sent.push({ statement, values });
    return [row];
  };
  await claims[claim]({ query });
  return { text: textFor(sent[0]?.statement.text ?? '', 'perdure'), values: [...(sent[0]?.values ?? [])] };
}

// A prepared plan is made when the tables are small, and stays until somebody analyzes them.
test.each([
  ['claim', 'before there were any rows'],
  ['claim', 'after analyze'],
  ['open claim', 'before there were any rows'],
  ['open claim', 'after analyze'],
] as const)(
  'the %s that was planned %s reads the line and nothing else, whatever is finished or delayed',
  async (claim, when) => {
    await db.query('truncate perdure.runs, perdure.executors, perdure.queues');
    await db.launchEngine({ queues: [queue('limited', { concurrency: 1_000 }), queue('free')] });
    const client = new pg.Client({ connectionString: db.url, options: startupOptions });
    await client.connect();
    const { text, values } = await statementOf(claim);
    await client.query({ name: 'claim', text, values });

    await fill();
    if (when === 'after analyze') await db.query('analyze perdure.runs');
    const literals = values.map((value) =>
      value === null ? 'null' : `'${value instanceof Buffer ? '{}' : asLiteral(value)}'`,
    );
    const answer = await client.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(
      `explain (analyze, format json) execute claim (${literals.join(', ')})`,
    );
    await client.end();

    const nodes = answer.rows.flatMap((row) => row['QUERY PLAN'].flatMap(({ Plan: plan }) => nodesOf(plan)));
    const onRuns = nodes.filter((node) => node['Relation Name'] === 'runs' && node['Node Type'].endsWith('Scan'));
    const indexes = new Set(onRuns.map((node) => node['Index Name']));
    expect(indexes).toEqual(new Set(indexesOf[claim]));
    const read = onRuns.map(
      (node) => (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'],
    );
    expect(Math.max(...read)).toBeLessThanOrEqual(claimant.limit + 1);
  },
  60_000 + finished / 5,
);

// Most of it finished, some in line, in a queue with limits and in one without, and some delayed.
async function fill(): Promise<void> {
  await db.query(
    `insert into perdure.runs (id, workflow, status, epoch, input, output, created_at, started_at, finished_at, queue,
                               partition_key, priority, queue_position)
     select 'past-' || g, 'job', 'succeeded', 1, '1', '1', now(), now(), now(), 'free', '', 0, g
     from generate_series(1, $1::int8) g`,
    [finished],
  );
  await db.query(
    `insert into perdure.runs (id, workflow, status, input, due_at, queue, partition_key, priority, queue_position, slot)
     select q.name || g, 'job', 'queued', '1', now() + q.delay, q.queue, '', 0, g, q.slot
     from (values ('limited', 'limited', interval '0', 'ready', $1::int8),
                  ('free', 'free', interval '0', 'ready', $1::int8),
                  ('later', 'free', interval '1 hour', 'needed', $1::int8 / 4)) q (name, queue, delay, slot, runs),
          generate_series(1, q.runs) g`,
    [Math.floor(queued / 2)],
  );
  await db.query(
    `insert into perdure.executors (id, host, pid, lease_ms, workflows) values ($1, 'here', 1, 600000, '{job}')`,
    [executor],
  );
}

function asLiteral(value: unknown): string {
  return Array.isArray(value) ? `{${value.map((item) => JSON.stringify(item)).join(',')}}` : String(value);
}

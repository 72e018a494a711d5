// Lists of runs: what they can be asked for, and pages that stay put while runs start.

import { beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import type { ListOptions } from '../src/index.js';
import { startupOptions } from '../src/store/connection.js';
import { listRuns, type RunFilter } from '../src/store/list-runs.js';
import { textFor } from '../src/store/sql.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

// Twelve runs, an hour apart except for the first three, which have one moment; the names say what is special about each.
beforeEach(async () => {
  await db.query('delete from perdure.runs');
  await db.query(`insert into perdure.runs (id, workflow, version, status, executor, input, parent_id, queue, attributes, created_at, finished_at)
    select id, workflow, version, status, executor::uuid, '1', parent, queue, attributes::jsonb,
           timestamptz '2026-01-01T00:00:00.000001Z' + greatest(0, n - 3) * interval '1 hour',
           case when status in ('succeeded', 'failed', 'cancelled') then now() end
    from (values
      (1, 'a-1', 'ship', '', 'succeeded', null, null, null, null),
      (2, 'a-2', 'ship', '', 'succeeded', null, null, null, null),
      (3, 'a-3', 'ship', '2', 'succeeded', null, null, null, null),
      (4, 'b-failed', 'bill', '', 'failed', null, null, null, '{"tenant": "x", "plan": {"kind": "pro"}}'),
      (5, 'b-paused', 'bill', '', 'paused', null, null, null, '{"tenant": "y"}'),
      (6, 'b-cancelled', 'bill', '', 'cancelled', null, null, null, null),
      (7, 'c-running', 'bill', '', 'running', '0198c2f0-0000-7000-8000-000000000000', null, null, null),
      (8, 'c-queued', 'bill', '', 'queued', null, null, 'mail', null),
      (9, 'c-waiting', 'bill', '', 'waiting', null, null, null, null),
      (10, 'd-child', 'bill', '', 'succeeded', null, 'c-running', null, null),
      (11, 'd_child', 'bill', '', 'failed', null, 'c-running', null, null),
      (12, 'e%', 'bill', '', 'succeeded', null, null, null, null)
    ) v (n, id, workflow, version, status, executor, parent, queue, attributes)`);
});

const idsOf = async (options: ListOptions): Promise<string[]> => {
  const engine = await db.launchEngine();
  return (await engine.runs.list(options)).runs.map(({ id }) => id);
};

const filters: [string, ListOptions, string][] = [
  ['nothing', {}, 'e% d_child d-child c-waiting c-queued c-running b-cancelled b-paused b-failed a-3 a-2 a-1'],
  ['a status', { status: 'succeeded' }, 'e% d-child a-3 a-2 a-1'],
  [
    'statuses that need a person',
    { status: ['failed', 'paused', 'cancelled'] },
    'd_child b-cancelled b-paused b-failed',
  ],
  ['a failed status and a workflow', { status: 'failed', workflow: 'ship' }, ''],
  ['statuses of all kinds', { status: ['failed', 'queued'] }, 'd_child c-queued b-failed'],
  ['a workflow', { workflow: 'ship' }, 'a-3 a-2 a-1'],
  ['a version', { version: '2' }, 'a-3'],
  ['no version', { workflow: 'ship', version: '' }, 'a-2 a-1'],
  ['an executor', { executor: '0198c2f0-0000-7000-8000-000000000000' }, 'c-running'],
  ['an executor that is no uuid', { executor: 'nobody' }, ''],
  ['a queue', { queue: 'mail' }, 'c-queued'],
  ['a parent', { parent: 'c-running' }, 'd_child d-child'],
  ['a parent and a status', { parent: 'c-running', status: 'failed' }, 'd_child'],
  ['a prefix', { idPrefix: 'c-' }, 'c-waiting c-queued c-running'],
  ['a prefix with a wildcard of SQL', { idPrefix: 'd_' }, 'd_child'],
  ['a prefix of a percent sign', { idPrefix: 'e%' }, 'e%'],
  ['attributes', { attributes: { tenant: 'x' } }, 'b-failed'],
  ['nested attributes', { attributes: { plan: { kind: 'pro' } } }, 'b-failed'],
  ['a time after', { createdAfter: new Date('2026-01-01T08:00Z') }, 'e% d_child'],
  ['a time before', { createdBefore: new Date('2026-01-01T01:00Z') }, 'a-3 a-2 a-1'],
  ['no statuses at all', { status: [] }, ''],
];

test.each(filters)('a list filters by %s, in both orders [134]', async (_name, options, expected) => {
  const newest = await idsOf(options);

  expect(newest.join(' ')).toBe(expected);
  expect(await idsOf({ ...options, order: 'oldest' })).toEqual(newest.toReversed());
});

test('attributes filter by containment [147]', async () => {
  expect(await idsOf({ attributes: { tenant: 'y' } })).toEqual(['b-paused']);
  expect(await idsOf({ attributes: { tenant: 'x', plan: {} } })).toEqual(['b-failed']);
  expect(await idsOf({ attributes: { tenant: 'z' } })).toEqual([]);
});

test.each(['newest', 'oldest'] as const)(
  'pages, %s first, have each run once, also among runs of one moment [134]',
  async (order) => {
    const engine = await db.launchEngine();
    const seen: string[] = [];
    let cursor: string | undefined;

    do {
      const page = await engine.runs.list({ order, limit: 2, cursor });
      seen.push(...page.runs.map(({ id }) => id));
      ({ cursor } = page);
    } while (cursor !== undefined);

    expect(seen).toEqual(await idsOf({ order }));
    expect(new Set(seen).size).toBe(12);
  },
);

test('a run that starts while somebody turns pages shifts nothing [134]', async () => {
  const engine = await db.launchEngine();
  const first = await engine.runs.list({ limit: 4 });
  await db.query(`insert into perdure.runs (id, workflow, status, input) values ('new', 'bill', 'queued', '1')`);

  const second = await engine.runs.list({ limit: 4, cursor: first.cursor });

  expect(second.runs.map(({ id }) => id)).toEqual(['c-queued', 'c-running', 'b-cancelled', 'b-paused']);
});

test('a list tells all about a run but its payloads [134]', async () => {
  const engine = await db.launchEngine();

  const { runs } = await engine.runs.list({ idPrefix: 'b-failed' });

  expect(runs).toEqual([
    {
      id: 'b-failed',
      workflow: 'bill',
      version: '',
      status: 'failed',
      executor: undefined,
      epoch: 0,
      parentId: undefined,
      queue: undefined,
      recoveries: 0,
      attributes: { tenant: 'x', plan: { kind: 'pro' } },
      createdAt: new Date('2026-01-01T01:00Z'),
      startedAt: undefined,
      finishedAt: expect.any(Date),
      dueAt: undefined,
      deadlineAt: undefined,
    },
  ]);
});

test.each([
  [{ limit: 0 }],
  [{ limit: 1_001 }],
  [{ limit: 1.5 }],
  [{ order: 'random' }],
  [{ status: 'done' }],
  [{ status: ['failed', 'done'] }],
  [{ cursor: 'nonsense' }],
  [{ cursor: Buffer.from('["yesterday", "a"]').toString('base64url') }],
  [{ cursor: '' }],
  [{ createdAfter: new Date(NaN) }],
  [{ createdBefore: '2026-01-01' }],
  [{ attributes: [1] }],
  [{ idPrefix: 'a\u0000' }],
  [{ workflow: 5 }],
] as [ListOptions][])('%j is refused [134]', async (options) => {
  const engine = await db.launchEngine();

  await perdureErrorOf(engine.runs.list(options), 'OPTION_INVALID');
});

test.each([
  ['runs of any kind', {}, 'runs_created'],
  ['runs of one status among all', { statuses: ['succeeded'] }, 'runs_created'],
  ['runs that need a person', { statuses: ['failed', 'paused'] }, 'runs_troubled'],
  ['children of a run', { parentId: 'p' }, 'runs_children'],
  ['ids with a prefix', { idPrefix: 'p' }, 'runs_pkey'],
] as const)('a list of %s rides an index made for it, from both ends [134]', async (_name, filter, index) => {
  await db.query(`insert into perdure.runs (id, workflow, status, input, created_at, finished_at, parent_id)
    select 'old-' || n, 'bill', case when n % 1000 = 0 then 'failed' else 'succeeded' end, '1', now() - n * interval '1 s', now(),
           case when n % 100 = 0 then 'p' || n end
    from generate_series(1, 20000) n`);
  await db.query('analyze perdure.runs');

  const plans = [await planOf(filter, 'newest'), await planOf(filter, 'oldest')];

  expect(plans.map((plan) => [...plan.matchAll(/using (\w+)/g)].map(([, name]) => name))).toEqual([[index], [index]]);
  expect(plans.join()).not.toMatch(/Seq Scan/);
});

// The generic plan of a list, as the engine's connections make it.
async function planOf(filter: Partial<RunFilter>, order: 'newest' | 'oldest'): Promise<string> {
  const all = { statuses: undefined, workflow: undefined, version: undefined, executor: undefined, queue: undefined };
  const none = {
    parentId: undefined,
    idPrefix: undefined,
    createdFromMs: undefined,
    createdToMs: undefined,
    attributes: undefined,
  };
  const asked: string[] = [];
  const query = async ({ text }: { readonly text: string }): Promise<[]> => [void asked.push(text)].slice(1) as [];
  await listRuns({ query }, { filter: { ...all, ...none, ...filter }, order, after: undefined, limit: 10 });
  const client = new pg.Client({ connectionString: db.url, options: startupOptions });
  await client.connect();
  try {
    await client.query(`prepare listing as ${textFor(asked[0] ?? '', 'perdure')}`);
    const plan = await client.query<{ 'QUERY PLAN': string }>(`explain execute listing(${'null, '.repeat(11)}10)`);
    return plan.rows.map((row) => row['QUERY PLAN']).join('\n');
  } finally {
    await client.end();
  }
}

// A process dies at each statement of claims that are open while their runs begin. Others finish what it has left, once.

import { beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { contract } from 'perdure';
import { backlog, bulkPayers, stormTables } from './programs/storm-workflows.js';
import { useDurableDatabase } from './support/durable-database.js';

const db = useDurableDatabase();
const bulk = contract<number, number>('bulk');
const count = 1_500;
const quick = { lease: '500ms', listen: false, pollInterval: '50ms' } as const;

beforeAll(async () => {
  await db.query(stormTables);
});

const points = ['claim_open', 'note_open_claim', 'settle_open_claim', 'commit'].flatMap((statement) => [
  `before:perdure_${statement}:1`,
  `after:perdure_${statement}:2`,
]);

test.each([...points, 'before:perdure_forget_open_claims:1', 'after:perdure_forget_open_claims:1'])(
  'a crash at %s loses nothing and pays nothing twice',
  async (crashAt) => {
    await db.query('truncate bulks');
    const client = await db.launchEngine({ ...quick, queues: [backlog] });
    const inputs = Array.from({ length: count }, (_, n) => n);
    await client.startWorkflows(
      bulk,
      inputs.map((input) => ({ input, queue: backlog })),
    );
    const { signal } = await db.spawnWorker({ ...quick, crashAt }).exited;
    db.spawnWorker(quick);
    await waitFor(() => db.query('select from perdure.runs where finished_at is null limit 1'), {
      what: 'all runs to end',
      timeoutMs: 30_000,
      until: ({ length }) => length === 0,
    });

    expect(signal).toBe('SIGKILL');
    expect(await db.query("select from perdure.runs where status = 'succeeded' and output = input")).toHaveLength(
      count,
    );
    expect(await db.query('select n from bulks order by n')).toEqual(
      inputs.filter((n) => n % bulkPayers === 0).map((n) => ({ n })),
    );
    expect(await db.query('select id from perdure.runs where recoveries > 1')).toEqual([]);
  },
);

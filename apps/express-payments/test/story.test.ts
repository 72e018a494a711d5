// npm run demo -- --script as a user runs it: a program of its own, judged by what it prints and by how it ends.

import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createTestDatabase, spawnProcess, waitFor, type SpawnedProcess, type TestDatabase } from '@perdure/testing';
import { Client } from 'pg';

jest.setTimeout(180_000);

const demo = fileURLToPath(new URL('../demo.ts', import.meta.url));
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(async () => {
  await database.drop();
});

test('the shop is killed four times, and its ledger is right', async () => {
  const story = startStory();

  const { code } = await story.exited;

  const said = story.lines.join('\n');
  expect(said.match(/is dead$/gm)).toHaveLength(4);
  expect(said.match(/✗.*/g)).toBeNull();
  expect(said).toContain('✓ the workflow has charged once');
  expect(said).toContain('✓ the plain handler has charged twice');
  expect(said).toContain('Killed four times, and the ledger is right.');
  expect(code).toBe(0);
});

test('a second refund in the ledger is found, and the story ends with 1', async () => {
  const story = startStory();
  await story.line(/A durable handler/, { timeoutMs: 120_000 });
  const forged = await waitFor(forgeRefund, { what: 'the refund', timeoutMs: 60_000, until: (rows) => rows === 1 });

  const { code } = await story.exited;

  expect(forged).toBe(1);
  expect(story.lines.join('\n')).toMatch(/✗ the money went back once\n[^]*This should not have happened\./);
  expect(code).toBe(1);
});

function startStory(): SpawnedProcess {
  return spawnProcess(demo, { args: ['--script'], env: { DATABASE_URL: database.url, PORT: '0' } });
}

/** Copies the newest refund, if there is one of this minute's story. Resolves to how many rows that made. */
async function forgeRefund(): Promise<number | null> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  const { rowCount } = await client.query(`
    insert into shop_ledger.entries (order_id, side, entry, cents, pid)
    select order_id, side, entry, cents, pid from shop_ledger.entries
    where entry = 'refund' and at > now() - interval '10 seconds' order by id desc limit 1`);
  await client.end();
  return rowCount;
}

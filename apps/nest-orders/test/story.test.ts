// npm run demo:nest -- --script as a user runs it: programs of their own, judged by what they print and by how it ends.

import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createTestDatabase, spawnProcess, type TestDatabase } from '@perdure/testing';

jest.setTimeout(180_000);

const demo = fileURLToPath(new URL('../demo.ts', import.meta.url));
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(async () => {
  await database.drop();
});

test('all workers are killed in mid-order, and every order is charged once and shipped once', async () => {
  const story = spawnProcess(demo, { args: ['--script'], env: { DATABASE_URL: database.url, PORT: '0' } });

  const { code } = await story.exited;

  const said = story.lines.join('\n');
  expect(said.match(/is dead/g)).toHaveLength(3);
  expect(said.match(/✗.*/g)).toBeNull();
  expect(said).toContain('✓ the API has accepted each of');
  expect(said).toMatch(/✓ \d+ orders: each charged once and shipped once/);
  expect(code).toBe(0);
});

// The demo as a user runs it: a program of its own, judged by what it prints and by how it ends.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createTestDatabase, spawnProcess, type SpawnedProcess, type TestDatabase } from '@perdure/testing';
import { Client } from 'pg';

jest.setTimeout(120_000);

const demo = fileURLToPath(new URL('../demo.ts', import.meta.url));
const loader = process.env['PERDURE_TEST_LOADER'] ?? '';
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(async () => {
  await database.drop();
});

describe('an order whose process is killed after the payment', () => {
  let lines: readonly string[];
  let code: number | null;

  beforeAll(async () => {
    const child = startDemo();
    ({ code } = await child.exited);
    lines = child.lines;
  });

  test('is paid once and arrives, and the demo ends with 0', () => {
    const said = lines.join('\n');

    expect(said).toMatch(/✓ 1 payment\n +✓ 2 of 2 pieces taken from the stock\n +✓ 1 shipment\n +✓ 1 notification\n/);
    expect(said).toContain('Paid once, and arrived.');
    expect(code).toBe(0);
  });

  test('has its recorded steps replayed by another process', () => {
    const [killed] = stepsIn(lines, 'KILLED');

    const replayed = stepsIn(lines, 'replayed');

    expect(replayed.map(({ step }) => step)).toEqual(['validate', 'pay']);
    expect(replayed.filter(({ pid }) => pid === killed?.pid)).toEqual([]);
  });

  test('has a history of which each step belongs to the process that finished it', () => {
    const [killed] = stepsIn(lines, 'KILLED');

    const rows = lines.flatMap((line) => {
      const [, seq, step, pid] = /^ +(\d+) +(\w+) +(\d+) +\d+ ms$/.exec(line) ?? [];
      return seq === undefined ? [] : [`${seq} ${step} ${pid === killed?.pid ? 'killed' : 'other'}`];
    });

    expect(rows).toEqual(['1 validate killed', '2 pay killed', '3 reserve other', '4 ship other', '5 notify other']);
  });

  test('is told in plain lines where there is no terminal', () => {
    const said = lines.join('\n');

    expect(said).not.toMatch(/[\u001b\r]/);
  });
});

test('the demo ends with 1 when a second payment is found', async () => {
  const child = startDemo();
  await child.line(/KILLED/, { timeoutMs: 60_000 });
  await execute('insert into shop.payments (order_id, amount_cents) select max(id), 8980 from shop.orders');

  const { code } = await child.exited;

  expect(child.lines.join('\n')).toMatch(/✗ 2 payments\n[^]*This should not have happened\./);
  expect(code).toBe(1);
});

test('without DATABASE_URL the demo creates a Postgres, and stops it at the end', async () => {
  const project = await mkdtemp(join(tmpdir(), 'perdure-demo-'));
  await chmod(project, 0o755); // started by root, the server runs as another user
  await mkdir(join(project, 'node_modules'));

  const child = spawn(process.execPath, [`--import=${loader}`, demo], {
    cwd: project,
    env: { ...process.env, NODE_OPTIONS: '', DATABASE_URL: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = await Promise.all([text(child.stdout), once(child, 'exit')]);

  const files = await readdir(join(project, 'node_modules', '.cache', 'perdure', 'postgres', 'data'));
  await rm(project, { recursive: true });
  expect(said).toMatch(/Postgres \d+\.\d+ created/);
  expect(files).toContain('PG_VERSION');
  expect(files).not.toContain('postmaster.pid');
  expect(child.exitCode).toBe(0);
});

function startDemo(): SpawnedProcess {
  return spawnProcess(demo, { args: ['--script'], env: { DATABASE_URL: database.url } });
}

function stepsIn(lines: readonly string[], what: string): { readonly pid: string; readonly step: string }[] {
  return lines.flatMap((line) => {
    const [, pid, step, word] = /^ +[\d.]+ s +(\d+) +(\w+) +(\w+) /.exec(line) ?? [];
    return word === what && pid !== undefined && step !== undefined ? [{ pid, step }] : [];
  });
}

async function execute(sql: string): Promise<void> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query(sql);
  await client.end();
}

// The pages are true: every ts block type-checks, runs, and prints what it says; every link leads somewhere.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createTestDatabase, spawnProcess, startPgBouncer, type PgBouncer, type TestDatabase } from '@perdure/testing';
import type { Report } from './run-page.js';
import { findLinks, readPages, root, type Page, type Snippet } from './snippets.js';

jest.setTimeout(120_000);

// Several runs of the tests may share one checkout.
const programs = join(root, 'tests', 'docs', '.snippets', String(process.pid));
const pages = readPages();
const pagesWithSnippets = pages.filter(({ snippets }) => snippets.length > 0);

beforeAll(() => {
  for (const page of pagesWithSnippets) writePrograms(page);
  // Libraries that npm may install beside @perdure/datasources alone.
  symlinkSync(join(root, 'packages', 'datasources', 'node_modules'), join(programs, 'node_modules'));
});

afterAll(() => {
  rmSync(programs, { recursive: true });
});

test('the snippets of the docs type-check', () => {
  const settings = { extends: '../../../../tsconfig.base.json', include: ['**/*.ts', '../../world.ts'] };
  const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false, experimentalDecorators: true };
  writeFileSync(join(programs, 'tsconfig.json'), JSON.stringify({ ...settings, compilerOptions }));

  const { stdout } = spawnSync(join(root, 'node_modules', '.bin', 'tsc'), ['-p', programs], { encoding: 'utf8' });

  expect(stdout).toBe('');
});

test('the links of the docs lead to files', () => {
  const links = pages.flatMap((page) => findLinks(page).map((target) => ({ page: page.path, target })));

  const broken = links.filter(({ target }) => !existsSync(join(root, target)));

  expect(broken).toEqual([]);
});

describe.each(pagesWithSnippets)('$path', (page) => {
  let database: TestDatabase;
  let pooler: PgBouncer | undefined;
  let reports: ReadonlyMap<string, Report>;

  beforeAll(async () => {
    database = await createTestDatabase();
    pooler = await startPgBouncer(database.url);
    reports = await runPage(page, { DATABASE_URL: database.url, POOLED_URL: pooler?.url ?? database.url });
  });

  afterAll(async () => {
    await pooler?.stop();
    await database.drop();
  });

  test.each(page.snippets)('the snippet at line $line runs and prints what it says', (snippet) => {
    const report = reports.get(programOf(page, snippet));

    expect(report?.error).toBeUndefined();
    expect(report?.printed).toEqual(snippet.prints);
  });
});

async function runPage(page: Page, env: Readonly<Record<string, string>>): Promise<ReadonlyMap<string, Report>> {
  const runner = fileURLToPath(new URL('run-page.ts', import.meta.url));
  const child = spawnProcess(runner, { args: page.snippets.map((snippet) => programOf(page, snippet)), env });
  const { code } = await child.exited;
  if (code !== 0) throw await child.line(() => false).catch((error: unknown) => error); // which tells why
  const reports = child.lines.map((line) => JSON.parse(line) as Report);
  return new Map(reports.map((report) => [report.file, report]));
}

function programOf({ path }: Page, { line, language, role }: Snippet): string {
  const folder = path.replace(/\.md$/, '').replaceAll('/', '-');
  return join(programs, folder, `line-${line}${role === undefined ? '' : `.as-${role}`}.${language}`);
}

function writePrograms(page: Page): void {
  for (const snippet of page.snippets) {
    const file = programOf(page, snippet);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, snippet.language === 'sql' ? snippet.code : `${snippet.code}\nexport {};\n`);
  }
}

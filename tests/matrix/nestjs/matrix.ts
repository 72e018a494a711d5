// The matrix of Nest: applications with a Nest and a toolchain of their own, installed from packed tarballs, and this repository's own
// suites on the older Nest.
//   npm run test:matrix:nestjs                everything: about five minutes
//   npm run test:matrix:nestjs -- suite       the cells whose names contain one of the words
// The summary, tests/results/nestjs-matrix.md, has the last run of each cell.

import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createTestDatabase, waitFor } from '@perdure/testing';
import pg from 'pg';
import { install, start, type Flavour } from './application.js';
import { runSuites } from './suites.js';
import { recordCell, type Summary } from '../summary.js';
import { tool } from '../tool.js';

const common = ['pg@8.23.1', 'rxjs@7.8.2', 'reflect-metadata@0.2.2', '@types/node@20.19.43', '@types/jest@30.0.0'];
const nest = (version: string): string[] =>
  ['common', 'core', 'testing', 'platform-express', 'platform-fastify'].map((name) => `@nestjs/${name}@${version}`);

/** One row of the summary. */
interface Cell {
  readonly name: string;
  /** Resolves to what to say of it. */
  readonly run: (folder: string) => Promise<string>;
}

const cells: readonly Cell[] = [
  application('an application on Nest 11, CommonJS, TypeScript 5.9, ts-jest', {
    nest: '11',
    modules: 'commonjs',
    packages: [...nest('11'), ...common, 'typescript@5.9.3', 'jest@30.5.2', 'ts-jest@29.4.15'],
  }),
  application('an application on Nest 12, ESM, TypeScript 7', {
    nest: '12',
    modules: 'module',
    packages: [...nest('12'), ...common, 'typescript@7.0.2'],
  }),
  { name: 'the tests and the conformance suite of HTTP on Nest 11', run: (folder) => runSuites(folder, '11') },
];

const summary: Summary = {
  path: fileURLToPath(new URL('../../results/nestjs-matrix.md', import.meta.url)),
  title: 'The matrix of Nest',
  about:
    'The last run of each cell of `npm run test:matrix:nestjs`: applications from packed tarballs, and the suites of this repository; times include installing.',
  cells: cells.map(({ name }) => name),
};

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  const chosen = cells.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
  assert.ok(chosen.length > 0, 'no cell has such a name');
  let failures = 0;
  for (const [index, { name, run }] of chosen.entries()) {
    const folder = join(tmpdir(), `perdure-nestjs-matrix-${process.pid}-${index}`);
    const from = Date.now();
    const outcome = await run(folder).catch((error: unknown) => {
      failures += 1;
      console.error(error);
      return 'FAILED';
    });
    rmSync(folder, { recursive: true, force: true });
    const row = `| ${name} | ${outcome} | ${Math.round((Date.now() - from) / 1_000)} s |`;
    console.log(row);
    recordCell(summary, name, row);
  }
  return failures === 0 ? 0 : 1;
}

function application(name: string, flavour: Flavour): Cell {
  return { name, run: (folder) => check(folder, flavour) };
}

async function check(folder: string, flavour: Flavour): Promise<string> {
  await install(folder, flavour);
  await tool(folder, 'tsc', ['-p', '.']);
  // The resolution of older applications knows no exports.
  if (flavour.nest === '11')
    await tool(folder, 'tsc', [
      '-p',
      '.',
      '--noEmit',
      '--module',
      'commonjs',
      '--moduleResolution',
      'node10',
      '--esModuleInterop',
    ]);
  const database = await createTestDatabase();
  const env = { DATABASE_URL: database.url, LEDGER: join(folder, 'ledger.txt'), PERDURE_LOG_LEVEL: 'warn' };
  try {
    for (const platform of ['express', 'fastify']) await checkCrash(folder, { ...env, PLATFORM: platform }, platform);
    if (flavour.modules === 'commonjs') await tool(folder, 'jest', [], env);
  } finally {
    await database.drop();
  }
  return `compiled, survived kill -9 on both platforms, drained${flavour.modules === 'commonjs' ? ', passed its own tests' : ''}`;
}

async function isRecorded(databaseUrl: string, runId: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query('select from perdure.steps where run_id = $1', [runId]);
    return (rowCount ?? 0) > 0;
  } finally {
    await client.end();
  }
}

// A run loses its process behind its first step, and the next process ends it: charged once, shipped once.
async function checkCrash(folder: string, env: Readonly<Record<string, string>>, sku: string): Promise<void> {
  const ledger = (): readonly string[] =>
    readFileSync(String(env['LEDGER']), { encoding: 'utf8', flag: 'a+' })
      .split('\n')
      .filter((line) => line.endsWith(sku));
  const first = await start(folder, env);
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ sku });
  const started = await fetch(`${first.url}/perdure/start/checkout`, { method: 'POST', headers, body });
  assert.equal(started.status, 202, first.log());
  // Killed before that, the step would rightly be executed again.
  await waitFor(() => isRecorded(String(env['DATABASE_URL']), `order ${sku}`), { what: 'the charge to be recorded' });
  await first.end('SIGKILL');

  const second = await start(folder, env);
  const answer = await fetch(`${second.url}/orders/${sku}`);

  assert.deepEqual(await answer.json(), { result: `shipped ${sku}` });
  assert.deepEqual(ledger(), [`charged ${sku}`, `shipped ${sku}`]);
  // Nest sends itself the signal again once its hooks are done.
  assert.equal(await second.end('SIGTERM'), 'SIGTERM');
}

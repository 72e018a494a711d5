// The matrix of Next: every way to build and run an application, from packed tarballs.
//   npm run test:matrix                       everything: fifteen minutes
//   npm run test:matrix -- turbopack dev      the cells whose names contain one of the words
// The summary, tests/results/next-matrix.md, has the last run of each cell.

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startPostgres } from '@perdure/embedded';
import { createPerdureClient } from '@perdure/next/client';
import pg from 'pg';
import { install, type Application, type Build, type Running } from './application.js';
import {
  checkConformance,
  checkProtocol,
  checkServerAction,
  checkShutdown,
  checkTick,
  mounts,
  post,
  until,
} from './checks.js';
import { recordCell, type Summary } from '../summary.js';

/** One row of the summary. */
interface Cell {
  readonly name: string;
  /** What to say of it besides that it passed. */
  readonly run: (application: Application, database: Database) => Promise<string>;
}

interface Database {
  readonly url: string;
  query(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
}

const tickSecret = 'a-secret-of-the-matrix';
const startCommand = ['node_modules/next/dist/bin/next', 'start'];

const cells: readonly Cell[] = [
  production({ bundler: 'turbopack' }, 'bundled'),
  production({ bundler: 'turbopack', env: { MATRIX_EXTERNAL: '1' } }, 'external'),
  production({ bundler: 'webpack' }, 'bundled'),
  production({ bundler: 'webpack', env: { MATRIX_EXTERNAL: '1' } }, 'external'),
  { name: 'turbopack, two servers on one database', run: runTwoServers },
  {
    name: 'turbopack, standalone output, copied elsewhere',
    run: (app, database) => runStandalone(app, database, 'turbopack'),
  },
  {
    name: 'webpack, standalone output, copied elsewhere',
    run: (app, database) => runStandalone(app, database, 'webpack'),
  },
  { name: 'turbopack, cacheComponents', run: runCacheComponents },
  { name: 'turbopack, edge runtime', run: (app) => runEdge(app, 'turbopack') },
  { name: 'webpack, edge runtime', run: (app) => runEdge(app, 'webpack') },
  { name: 'turbopack, a client component that imports a workflow', run: (app) => runInBrowser(app, 'turbopack') },
  { name: 'webpack, a client component that imports a workflow', run: (app) => runInBrowser(app, 'webpack') },
  { name: 'Next 15.5.29, webpack, App and Pages', run: runNext15 },
  { name: 'dev, turbopack, an edited workflow', run: (app, database) => runDev(app, database, 'turbopack') },
  { name: 'dev, webpack, an edited workflow', run: (app, database) => runDev(app, database, 'webpack') },
];

const summary: Summary = {
  path: fileURLToPath(new URL('../../results/next-matrix.md', import.meta.url)),
  title: 'The matrix of Next',
  about:
    'The last run of each cell of `npm run test:matrix`, from packed tarballs; times include installing and building.',
  note: 'Next 16.4.6 unless the cell says otherwise.\nHTTP: the tests of tests/conformance/http, against the running server, through the App and the Pages Router.',
  cells: cells.map(({ name }) => name),
};

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  const chosen = cells.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
  assert.ok(chosen.length > 0, 'no cell has such a name');
  const application = await install(join(tmpdir(), `perdure-next-matrix-${process.pid}`), [
    'next@16.4.6',
    'react@19.3.1',
    'react-dom@19.3.1',
    'typescript@7.0.2',
  ]);
  let failures = 0;
  for (const { name, run } of chosen) {
    const from = Date.now();
    const outcome = await runCell(run, application).catch((error: unknown) => {
      failures += 1;
      console.error(error);
      return 'FAILED';
    });
    const row = `| ${name} | ${outcome} | ${Math.round((Date.now() - from) / 1_000)} s |`;
    console.log(row);
    recordCell(summary, name, row);
  }
  rmSync(application.folder, { recursive: true, force: true });
  return failures === 0 ? 0 : 1;
}

async function runCell(run: Cell['run'], application: Application): Promise<string> {
  const postgres = await startPostgres({ database: `matrix_${Date.now()}`, stopWhenIdleMs: 1_800_000 });
  const pool = new pg.Pool({ connectionString: postgres.url, max: 2 });
  const query: Database['query'] = async (sql, values) => (await pool.query<Record<string, unknown>>(sql, values)).rows;
  try {
    return await run(application, { url: postgres.url, query });
  } finally {
    await pool.end();
  }
}

function production(build: Build, how: string): Cell {
  return {
    name: `${build.bundler}, ${how}, App and Pages`,
    run: async (application, database) => {
      await application.build(build);
      const conformance = await checkConformance(application, startCommand);
      return serving(application.start(startCommand, environment(database)), async (running) => {
        for (const mount of mounts) await checkProtocol(running, mount);
        await checkTick(running, tickSecret);
        await checkServerAction(running);
        return `passed; ${conformance}; SIGTERM in a step: ${await shutDown(running, database)}`;
      });
    },
  };
}

async function shutDown(running: Running, database: Database): Promise<string> {
  const { ms, id } = await checkShutdown(running);
  const steps = await database.query('select name from perdure.steps where run_id = $1', [id]);
  assert.ok(
    steps.some(({ name }) => name === 'work'),
    'the step was recorded',
  );
  return `recorded, exit after ${ms} ms`;
}

async function runTwoServers(application: Application, database: Database): Promise<string> {
  await application.build({ bundler: 'turbopack' });
  return serving(application.start(startCommand, environment(database)), (first) =>
    serving(application.start(startCommand, environment(database)), async (second) => {
      const ids: string[] = [];
      for (let at = 0; at < 20; at += 1) {
        const { url } = at % 2 === 0 ? first : second;
        ids.push(String((await post(`${url}/api/perdure/start/chain`, 40)).body['id']));
      }
      const client = createPerdureClient({ basePath: `${second.url}/api/perdure` });
      const runs = ids.map((id) => client.watch(id));
      await Promise.all(runs.map((run) => until(run, ({ events }) => Number(events['progress']) >= 1)));
      const killedAt = Date.now();
      await first.end('SIGKILL');
      const results = await Promise.all(runs.map((run) => until(run, ({ isFinal }) => isFinal, 60_000)));
      for (const { status, id } of results) assert.equal(status, 'succeeded', id);
      const rows = await database.query(
        "select run_id, seq, count(*) as n from perdure.steps where name = 'link' group by 1, 2 having count(*) > 1",
      );
      assert.equal(rows.length, 0, 'no step is recorded twice');
      const moved = results.filter(({ result }) => Array.isArray(result) && new Set(result).size === 2).length;
      assert.equal(moved, 10, 'the runs of the killed server, and no others, moved');
      return `passed; 10 of 20 runs moved to the other server, all over ${Math.round((Date.now() - killedAt) / 100) / 10} s after kill -9`;
    }),
  );
}

async function runNext15(_application: Application, database: Database): Promise<string> {
  const versions = ['next@15.5.29', 'react@19.3.1', 'react-dom@19.3.1', 'typescript@5.9.3'];
  const application = await install(join(tmpdir(), `perdure-next-15-${process.pid}`), versions);
  try {
    return await production({ bundler: 'webpack' }, '').run(application, database);
  } finally {
    rmSync(application.folder, { recursive: true, force: true });
  }
}

async function runStandalone(application: Application, database: Database, bundler: Build['bundler']): Promise<string> {
  await application.build({ bundler, env: { MATRIX_STANDALONE: '1' } });
  const elsewhere = `${application.folder}-standalone`;
  rmSync(elsewhere, { recursive: true, force: true });
  cpSync(join(application.folder, '.next/standalone'), elsewhere, { recursive: true });
  const server = join(elsewhere, 'server.js');
  try {
    const conformance = await checkConformance(application, [server]);
    return await serving(application.start([server], environment(database)), async (running) => {
      await checkProtocol(running, mounts[0]);
      const [row] = await database.query('select count(*) as n from perdure.migrations');
      return `passed; ${conformance}; ${String(row?.['n'])} migrations on an empty database; SIGTERM in a step: ${await shutDown(running, database)}`;
    });
  } finally {
    rmSync(elsewhere, { recursive: true, force: true });
  }
}

async function runCacheComponents(application: Application, database: Database): Promise<string> {
  const env = { MATRIX_CACHE_COMPONENTS: '1' };
  await application.build({ bundler: 'turbopack', env });
  const conformance = await checkConformance(application, startCommand, env);
  return serving(application.start(startCommand, { ...environment(database), ...env }), async (running) => {
    for (const mount of mounts) await checkProtocol(running, mount);
    await checkServerAction(running);
    return `passed; ${conformance}`;
  });
}

// It cannot work, and has to say so.
async function runEdge(application: Application, bundler: Build['bundler']): Promise<string> {
  const route = join(application.folder, 'app/api/edge/route.ts');
  mkdirSync(join(route, '..'), { recursive: true });
  writeFileSync(
    route,
    "import { perdure } from '../../../lib/perdure';\nexport const runtime = 'edge';\nexport const GET = () => new Response(perdure.name);\n",
  );
  try {
    const output = await application.build({ bundler }).then(() => 'it was built', String);
    assert.match(output, /WRONG_RUNTIME/);
    return 'refused by the build with WRONG_RUNTIME';
  } finally {
    rmSync(join(route, '..'), { recursive: true });
  }
}

// The build cannot tell, so what the browser loads has to.
async function runInBrowser(application: Application, bundler: Build['bundler']): Promise<string> {
  const page = join(application.folder, 'app/wrong/page.tsx');
  mkdirSync(dirname(page), { recursive: true });
  writeFileSync(
    page,
    "'use client';\nimport { greet } from '../../lib/workflows';\nexport default function Page() {\n  return <p>{greet.name}</p>;\n}\n",
  );
  try {
    await application.build({ bundler });
    const chunks = join(application.folder, '.next/static/chunks');
    const loaded = readdirSync(chunks, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.js'));
    assert.ok(loaded.some((path) => readFileSync(join(chunks, path), 'utf8').includes('WRONG_RUNTIME')));
    return 'the browser throws WRONG_RUNTIME';
  } finally {
    rmSync(dirname(page), { recursive: true });
  }
}

async function runDev(application: Application, database: Database, bundler: Build['bundler']): Promise<string> {
  rmSync(join(application.folder, '.next'), { recursive: true, force: true });
  const command = ['node_modules/next/dist/bin/next', 'dev', `--${bundler}`];
  const conformance = await checkConformance(application, command);
  const said = (to: string) => (text: string) => text.replace(/'V\d'/, `'${to}'`);
  try {
    return await serving(application.start(command, environment(database)), async (running) => {
      await checkProtocol(running, mounts[0]);
      const start = (wait: number, prefer: string) =>
        post(`${running.url}/api/perdure/start/version`, wait, { prefer });
      assert.equal((await start(1, 'wait=10')).body['output'], 'V1');
      const inFlight = String((await start(8_000, 'respond-async')).body['id']);
      application.edit('lib/workflows.ts', said('V2'));
      const deadline = Date.now() + 30_000;
      while ((await start(1, 'wait=10')).body['output'] !== 'V2')
        assert.ok(Date.now() < deadline, 'the edit is never seen');
      const client = createPerdureClient({ basePath: `${running.url}/api/perdure` });
      const { result } = await until(client.watch(inFlight), ({ isFinal }) => isFinal);
      assert.equal(result, 'V1', 'a run in flight keeps its code');
      await running.end('SIGTERM'); // a killed one would leave the process behind that it has for compiling
      return `passed; ${conformance}; new runs take the edit, a run in flight goes on`;
    });
  } finally {
    application.edit('lib/workflows.ts', said('V1'));
  }
}

function environment({ url }: Database): Record<string, string> {
  return { DATABASE_URL: url, TICK_SECRET: tickSecret };
}

async function serving(starting: Promise<Running>, work: (running: Running) => Promise<string>): Promise<string> {
  const running = await starting;
  try {
    return await work(running);
  } catch (error) {
    console.error(`the server's log:\n${running.log().slice(-4_000)}`);
    throw error;
  } finally {
    await running.end('SIGKILL');
  }
}

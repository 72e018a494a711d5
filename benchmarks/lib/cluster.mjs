// The Postgres that everything is measured on: a cluster of its own with fsync on, made for this run and thrown away.
// Called by run.mjs alone. BENCH_DATABASE_URL replaces it with a server that is running already.

import { execFile, execFileSync } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, rmSync, existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';

const run = promisify(execFile);

const settings = {
  shared_buffers: '512MB',
  fsync: 'on',
  synchronous_commit: 'on',
  max_connections: '300',
  // Checkpoints come between the rounds, not inside them: full-page writes would drown what is measured.
  max_wal_size: '16GB',
  checkpoint_timeout: '1h',
};

/** Starts the server and says how to reach it and what it is. */
export async function startCluster() {
  const given = process.env.BENCH_DATABASE_URL;
  const cluster = given ? { url: given, stop: async () => {} } : await launch();
  const version = await onClient(cluster.url, (client) => value(client, 'show server_version'));
  const measured = await onClient(cluster.url, async (client) => {
    const rows = await client.query(
      'select name, current_setting(name) as value from pg_settings where name = any($1)',
      [Object.keys(settings)],
    );
    return Object.fromEntries(rows.rows.map((row) => [row.name, row.value]));
  });
  const counts = await onClient(cluster.url, installStatementCounter);
  return { ...cluster, version, settings: measured, countsStatements: counts };
}

async function launch() {
  const bin = findBinaries();
  return bin === undefined ? launchEmbedded() : launchSystem(bin);
}

/** The newest installed server, or the one named by BENCH_PG_BIN. */
function findBinaries() {
  if (process.env.BENCH_PG_BIN) return process.env.BENCH_PG_BIN;
  const root = '/usr/lib/postgresql';
  if (!existsSync(root)) return undefined;
  const versions = readdirSync(root).filter((name) => existsSync(join(root, name, 'bin', 'initdb')));
  versions.sort((a, b) => Number(b) - Number(a));
  return versions[0] === undefined ? undefined : join(root, versions[0], 'bin');
}

async function launchSystem(bin) {
  const home = mkdtempSync(join(tmpdir(), 'perdure-bench-'));
  const data = join(home, 'data');
  const asServer = serverUser(home);
  const port = await freePort();
  await run(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '--no-locale', '-E', 'UTF8', '-A', 'trust'], asServer);
  const flags = [
    ...Object.entries(settings),
    ['listen_addresses', '127.0.0.1'],
    ['unix_socket_directories', ''],
    ['port', port],
  ];
  if (hasStatementCounter(bin))
    flags.push(['shared_preload_libraries', 'pg_stat_statements'], ['pg_stat_statements.track', 'none']);
  const options = flags.map(([name, setting]) => `-c ${name}=${setting === '' ? "''" : setting}`).join(' ');
  // pg_ctl passes the options through a shell, so an empty one needs its quotes.
  await run(join(bin, 'pg_ctl'), ['-D', data, '-l', join(home, 'log'), '-w', '-o', options, 'start'], {
    ...asServer,
    stdio: 'ignore',
  });
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    stop: async () => {
      await run(join(bin, 'pg_ctl'), ['-D', data, '-m', 'immediate', 'stop'], asServer);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

// Postgres refuses to run as root: then it runs as nobody, who owns the folder.
function serverUser(home) {
  if (process.getuid?.() !== 0) return { cwd: home };
  const nobody = 65534;
  chownSync(home, nobody, nobody);
  return { uid: nobody, gid: nobody, cwd: home };
}

function hasStatementCounter(bin) {
  try {
    const directory = execFileSync(join(bin, 'pg_config'), ['--sharedir'], { encoding: 'utf8' }).trim();
    return existsSync(join(directory, 'extension', 'pg_stat_statements.control'));
  } catch {
    return false;
  }
}

/** No server is installed: the one of @perdure/embedded, whose settings need a restart. */
async function launchEmbedded() {
  const { startPostgres } = await import('@perdure/embedded');
  const directory = mkdtempSync(join(tmpdir(), 'perdure-bench-'));
  const first = await startPostgres({ directory, database: 'postgres' });
  await onClient(first.url, async (client) => {
    for (const [name, setting] of Object.entries(settings))
      await client.query(`alter system set ${name} = '${setting}'`);
  });
  await first.stop();
  const server = await startPostgres({ directory, database: 'postgres', maxConnections: 300 });
  return {
    url: server.url,
    stop: async () => {
      await server.stop('immediate');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function installStatementCounter(client) {
  const libraries = await value(client, 'show shared_preload_libraries');
  if (!libraries.includes('pg_stat_statements')) return false;
  await client.query('create extension if not exists pg_stat_statements');
  return true;
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Runs `use` with a connection that is closed afterwards. */
export async function onClient(url, use) {
  const client = new pg.Client({ connectionString: url });
  // A server stopped on purpose ends its connections: no reason to die of it.
  client.on('error', () => {});
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** The first column of the first row. */
export async function value(client, sql, parameters = []) {
  const answer = await client.query({ text: sql, values: parameters, rowMode: 'array' });
  return answer.rows[0]?.[0];
}

/** The same server, another database. */
export function databaseUrl(url, database) {
  const other = new URL(url);
  other.pathname = `/${database}`;
  return other.href;
}

// What a workload's `conduct` gets: a fresh database and the power to start, hear, and kill the contestant's processes.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { databaseUrl, onClient, value } from './cluster.mjs';

const contestant = fileURLToPath(new URL('contestant.mjs', import.meta.url));
let databases = 0;

/** One contestant in one round of one workload. Its processes and its database end with `close`. */
export async function openStage({ cluster, workload, peer, size, profile }) {
  const name = `bench_${workload}_${peer.replaceAll('-', '_')}_${databases++}`;
  await onClient(cluster.url, (client) => client.query(`create database ${name}`));
  const url = databaseUrl(cluster.url, name);
  const names = [name];
  const processes = [];

  const start = (role, options = {}, { environment = {}, deadlineMs = 300_000 } = {}) => {
    const task = { workload, peer, role, options: { url, ...size, ...options } };
    const flags = profile
      ? [
          '--cpu-prof',
          `--cpu-prof-dir=${profile}`,
          `--cpu-prof-name=${workload}-${peer}-${role}-${process.hrtime.bigint()}.cpuprofile`,
        ]
      : [];
    const child = fork(contestant, [JSON.stringify(task)], {
      execArgv: ['--expose-gc', '--no-deprecation', ...flags],
      env: { ...process.env, ...environment, NODE_ENV: 'production' },
      stdio: ['ignore', process.env.BENCH_VERBOSE ? 'inherit' : 'ignore', 'inherit', 'ipc'],
    });
    processes.push(child);
    return follow(child, { role, deadlineMs });
  };

  return {
    name,
    url,
    size,
    cluster,
    start,
    /** Starts a role and returns its figures. */
    play: (role, options, settings) => start(role, options, settings).figures,
    query: (sql, parameters) => onClient(url, (client) => client.query(sql, parameters)),
    /** Processes started from now on have their statements counted. */
    countStatements: () => countStatements(cluster, name),
    /** Runs `act` and returns its figures with what it made the server do. */
    counting: async (act) => {
      await countStatements(cluster, name);
      const before = await counters(cluster, name);
      const figures = await act();
      // Backends report their transactions up to a second late.
      await delay(1_100);
      const after = await counters(cluster, name);
      const difference = (key) => (before[key] === undefined ? undefined : after[key] - before[key]);
      return {
        figures,
        wal: difference('wal'),
        transactions: difference('transactions'),
        statements: difference('statements'),
      };
    },
    /** One more database; its url is given to a role as an option. */
    createDatabase: async (suffix) => {
      const other = `${name}_${suffix}`;
      await onClient(cluster.url, (client) => client.query(`create database ${other}`));
      names.push(other);
      return databaseUrl(cluster.url, other);
    },
    close: async () => {
      for (const child of processes) await kill(child);
      for (const database of names) {
        await onClient(cluster.url, (client) => client.query(`drop database if exists ${database} with (force)`));
      }
    },
  };
}

async function countStatements(cluster, name) {
  if (!cluster.countsStatements) return;
  await onClient(cluster.url, (client) => client.query(`alter database ${name} set pg_stat_statements.track = 'top'`));
}

function counters(cluster, name) {
  return onClient(cluster.url, async (client) => {
    const transactions = `select xact_commit + xact_rollback from pg_stat_database where datname = $1`;
    const calls = `select coalesce(sum(s.calls), 0) from pg_stat_statements s join pg_database d on d.oid = s.dbid where d.datname = $1`;
    return {
      wal: Number(await value(client, `select pg_current_wal_insert_lsn() - '0/0'::pg_lsn`)),
      transactions: Number(await value(client, transactions, [name])),
      statements: cluster.countsStatements ? Number(await value(client, calls, [name])) : undefined,
    };
  });
}

function follow(child, { role, deadlineMs }) {
  const waiting = new Map();
  const arrived = new Map();
  const receive = ({ kind, body }) => {
    const waiter = waiting.get(kind);
    if (waiter) {
      waiting.delete(kind);
      waiter(body);
    } else arrived.set(kind, [...(arrived.get(kind) ?? []), body]);
  };
  child.on('message', receive);
  const gone = new Promise((_, reject) => {
    child.on('message', ({ kind, body }) => kind === 'failed' && reject(new Error(body)));
    child.once('exit', (code, signal) =>
      setImmediate(() => reject(new Error(`the ${role} process ended: ${signal ?? code}`))),
    );
    const timer = setTimeout(
      () => reject(new Error(`the ${role} process took longer than ${deadlineMs} ms`)),
      deadlineMs,
    );
    child.once('exit', () => clearTimeout(timer));
  });
  // Whoever waits hears of it; nobody may be waiting, as when the process is killed on purpose.
  gone.catch(() => {});
  const hear = (kind) => {
    const early = arrived.get(kind)?.shift();
    if (early !== undefined) return Promise.resolve(early);
    return Promise.race([new Promise((resolve) => waiting.set(kind, resolve)), gone]);
  };
  // The child ends by itself once it has told its figures; its profile is written on the way out.
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const figures = hear('figures').then(async (found) => {
    await ended;
    return found;
  });
  figures.catch(() => {});
  return {
    hear,
    on: (kind, listener) => child.on('message', (message) => message.kind === kind && listener(message.body)),
    tell: (kind, body = null) => child.send({ kind, body }),
    figures,
    kill: () => kill(child),
  };
}

async function kill(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

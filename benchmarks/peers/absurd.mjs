// Absurd. Best settings found: a pool of 20, polls of 10 ms, leases of 5 s. Its SQL is not in the npm package: the tool that carries it is taken
// from PyPI into a cache once (python3 with pip, and psql, must be there), or name the file in BENCH_ABSURD_SQL. Its
// awaitTaskResult polls from 50 ms up; a run awaited here resolves as soon as this process has recorded its outcome, so its
// numbers are better than an application sees.

import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Absurd } from 'absurd-sdk';
import pg from 'pg';
import { onClient, value } from '../lib/cluster.mjs';
import { packageVersion } from '../lib/package-version.mjs';
import { programs } from '../lib/programs.mjs';

export const version = packageVersion('absurd-sdk');
export const offers = ['runs', 'sleep', 'messages', 'queue', 'remote', 'recovery', 'long'];
export const leaseMs = 5_000;
export const isSlow = true;

const poolSize = Number(process.env.BENCH_ABSURD_POOL ?? 20);
const tool = {
  name: 'absurdctl',
  version: '0.5.0',
  folder: fileURLToPath(new URL('../.cache/absurdctl', import.meta.url)),
};
const queueName = 'bench';
const run = promisify(execFile);

/** Called once per database, before any process of the contestant starts. */
export async function prepare({ url }) {
  if (process.env.BENCH_ABSURD_SQL) {
    await onClient(url, (client) => client.query(readFileSync(process.env.BENCH_ABSURD_SQL, 'utf8')));
  } else {
    await installTool();
    const script = 'import sys, absurdctl; sys.argv[0] = "absurdctl"; absurdctl.main()';
    await run('python3', ['-c', script, 'init', '-d', url], { env: { ...process.env, PYTHONPATH: tool.folder } });
  }
  const absurd = new Absurd({ db: url, queueName });
  await absurd.createQueue();
  await absurd.close();
}

async function installTool() {
  if (existsSync(tool.folder)) return;
  await run('python3', ['-m', 'pip', 'install', '--quiet', '--target', tool.folder, `${tool.name}==${tool.version}`]);
}

export async function open({ url, role = 'both', concurrency = 100, prefers }) {
  const pool = new pg.Pool({ connectionString: url, max: poolSize });
  pool.on('error', () => {});
  const outcomes = announceOutcomes(pool);
  const quiet = { log() {}, info() {}, warn() {}, error: console.error };
  const absurd = new Absurd({ db: pool, queueName, log: quiet });
  for (const [name, program] of Object.entries(programs)) {
    absurd.registerTask({ name }, (input, context) => program(input, verbsOf(context)));
  }
  if (role !== 'client') {
    await absurd.startWorker({
      concurrency,
      pollInterval: prefers === 'defaults' ? 0.25 : 0.01,
      claimTimeout: leaseMs / 1000,
      fatalOnLeaseTimeout: false,
    });
  }
  const start = (name, input) => absurd.spawn(name, input);
  return {
    start,
    run: async (name, input) => outcomes.of(start(name, input)),
    send: (_, key, message) => absurd.emitEvent(key, message),
    enqueue: start,
    enqueueMany: (name, inputs) => Promise.all(inputs.map((input) => start(name, input))),
    unfinished: () => count(url, ['pending', 'running', 'sleeping']),
    parked: () => count(url, ['sleeping']),
    close: async () => {
      await absurd.close();
      await pool.end();
    },
  };
}

function verbsOf(context) {
  return {
    step: (name, fn) => context.step(name, fn),
    sleep: (ms) => context.sleepFor('sleep', ms / 1000),
    receive: (key) => context.awaitEvent(key),
  };
}

/** Resolves a task's waiters when this process has recorded its result. */
function announceOutcomes(pool) {
  const waiters = new Map();
  const early = new Map();
  const query = pool.query.bind(pool);
  pool.query = async (text, parameters, ...rest) => {
    const answer = await query(text, parameters, ...rest);
    if (typeof text === 'string' && text.includes('absurd.complete_run')) {
      const [, runId, result] = parameters;
      const waiter = waiters.get(runId);
      waiters.delete(runId);
      const output = result === undefined ? undefined : JSON.parse(result);
      if (waiter) waiter(output);
      else early.set(runId, output);
    }
    return answer;
  };
  return {
    of: async (starting) => {
      const { runID } = await starting;
      if (early.has(runID)) {
        const output = early.get(runID);
        early.delete(runID);
        return output;
      }
      return new Promise((resolve) => waiters.set(runID, resolve));
    },
  };
}

const count = (url, states) =>
  onClient(url, async (client) =>
    Number(await value(client, `select count(*) from absurd.t_${queueName} where state = any($1)`, [states])),
  );

// OpenWorkflow. Best settings found: a pool of 20, one worker of the asked concurrency. Its result() polls once a second, and nothing public
// changes that; so that the poll is not all we measure, a run awaited here resolves as soon as this process has
// recorded its outcome. Its numbers are therefore better than an application sees.

import { setTimeout as delay } from 'node:timers/promises';
import { OpenWorkflow } from 'openworkflow';
import { BackendPostgres } from 'openworkflow/postgres';
import postgres from 'postgres';
import { onClient, value } from '../lib/cluster.mjs';
import { packageVersion } from '../lib/package-version.mjs';
import { clock, programs } from '../lib/programs.mjs';

export const version = packageVersion('openworkflow');
export const offers = ['runs', 'sleep', 'messages', 'queue', 'remote', 'recovery'];
/** Fixed in the package. */
export const leaseMs = 30_000;
/** Claims one run per statement. */
export const isSlow = true;

const poolSize = Number(process.env.BENCH_OPENWORKFLOW_POOL ?? 20);

export async function open({ url, role = 'both', concurrency = 100 }) {
  const migrator = await BackendPostgres.connect(url);
  await migrator.stop();
  const sql = postgres(url, { max: poolSize, onnotice: () => {}, transform: { column: { from: postgres.toCamel } } });
  const backend = BackendPostgres.fromPool(sql);
  const outcomes = announceOutcomes(backend);
  const engine = new OpenWorkflow({ backend });
  const workflows = Object.fromEntries(
    Object.entries(programs).map(([name, program]) => [
      name,
      engine.defineWorkflow({ name }, ({ input, step }) => program(input, verbsOf(step))),
    ]),
  );
  const worker = role === 'client' ? undefined : engine.newWorker({ concurrency });
  await worker?.start();

  const start = (name, input) => workflows[name].run(input);
  return {
    start,
    run: async (name, input) => outcomes.of((await start(name, input)).workflowRun.id),
    send: (_, key, message) => sendUntilHeard(engine, key, message),
    enqueue: start,
    enqueueMany: (name, inputs) => Promise.all(inputs.map((input) => start(name, input))),
    unfinished: () => count(url, ['pending', 'running', 'sleeping']),
    // A sleeping run is `running` without a worker until its time has come.
    parked: () =>
      onClient(url, async (client) =>
        Number(
          await value(
            client,
            `select count(*) from openworkflow.workflow_runs where status in ('running', 'sleeping') and worker_id is null`,
          ),
        ),
      ),
    close: async () => {
      await worker?.stop();
      await sql.end();
    },
  };
}

// A signal that nobody waits for yet is dropped: it is sent again, and the time of the one that was heard counts.
async function sendUntilHeard(engine, signal, data) {
  for (let i = 0; i < 500; i++) {
    const at = clock();
    const { workflowRunIds } = await engine.sendSignal({ signal, data });
    if (workflowRunIds.length > 0) return at;
    await delay(20);
  }
  throw new Error(`nobody waits for ${signal}`);
}

function verbsOf(step) {
  return {
    step: (name, fn) => step.run({ name }, fn),
    sleep: (ms) => step.sleep('sleep', `${ms}ms`),
    receive: (key) => step.waitForSignal({ signal: key, timeout: '1h' }),
  };
}

/** Resolves a run's waiters when this process has recorded the outcome. */
function announceOutcomes(backend) {
  const waiters = new Map();
  const early = new Map();
  const complete = backend.completeWorkflowRun.bind(backend);
  backend.completeWorkflowRun = async (params) => {
    const run = await complete(params);
    const waiter = waiters.get(run.id);
    waiters.delete(run.id);
    if (waiter) waiter(run.output);
    else early.set(run.id, run.output);
    return run;
  };
  return {
    of: (id) =>
      new Promise((resolve) => {
        if (early.has(id)) {
          resolve(early.get(id));
          early.delete(id);
        } else waiters.set(id, resolve);
      }),
  };
}

const count = (url, statuses) =>
  onClient(url, async (client) =>
    Number(await value(client, 'select count(*) from openworkflow.workflow_runs where status = any($1)', [statuses])),
  );

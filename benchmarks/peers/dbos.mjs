// DBOS Transact. Best settings found: a pool of 20 (10 and 50 are slower), LISTEN/NOTIFY on, logging off, queue polls of 10 ms.

import { DBOS, DBOSClient } from '@dbos-inc/dbos-sdk';
import { onClient, value } from '../lib/cluster.mjs';
import { packageVersion } from '../lib/package-version.mjs';
import { programs } from '../lib/programs.mjs';

export const version = packageVersion('@dbos-inc/dbos-sdk');
export const offers = ['runs', 'sleep', 'messages', 'queue', 'remote', 'recovery', 'long', 'express'];
/** A restarted process takes its own runs back at launch, without a lease. */
export const leaseMs = 0;

const poolSize = Number(process.env.BENCH_DBOS_POOL ?? 20);
const queueName = 'bench';
const application = { applicationVersion: 'bench' };

const verbs = {
  step: (name, fn) => DBOS.runStep(fn, { name }),
  sleep: (ms) => DBOS.sleep(ms),
  receive: (key) => DBOS.recv(key, 3_600),
};

/** Called once per database, before any process of the contestant starts: a client alone makes no schema. */
export async function prepare({ url }) {
  DBOS.setConfig({ name: 'bench', systemDatabaseUrl: url, logLevel: 'error' });
  await DBOS.launch();
  await DBOS.shutdown();
}

export async function open({ url, role = 'both', concurrency = 100, prefers }) {
  return role === 'client' ? openClient(url) : openEngine(url, concurrency, prefers === 'defaults' ? 1_000 : 10);
}

async function openEngine(url, concurrency, minPollingIntervalMs) {
  const workflows = {};
  for (const [name, program] of Object.entries(programs)) {
    workflows[name] = DBOS.registerWorkflow((input) => program(input, verbs), { name });
  }
  DBOS.setConfig({
    name: 'bench',
    systemDatabaseUrl: url,
    systemDatabasePoolSize: poolSize,
    logLevel: 'error',
    executorID: 'bench',
    ...application,
  });
  await DBOS.launch();
  await DBOS.registerQueue(queueName, { workerConcurrency: concurrency, minPollingIntervalMs });

  return {
    start: (name, input) => DBOS.startWorkflow(workflows[name])(input),
    run: async (name, input) => (await DBOS.startWorkflow(workflows[name])(input)).getResult(),
    send: (run, key, message) => DBOS.send(run.workflowID, message, key),
    enqueue: (name, input) => DBOS.startWorkflow(workflows[name], { queueName })(input),
    enqueueMany: (name, inputs) =>
      enqueueEach(inputs, (input) => DBOS.startWorkflow(workflows[name], { queueName })(input)),
    unfinished: () => unfinished(url),
    parked: () => unfinished(url),
    close: () => DBOS.shutdown(),
  };
}

/** Routes /start and /handler, of an application that parses JSON. The key of a request is the id of its workflow. */
export async function mountExpress(app, { url }) {
  const charge = ({ id }) => DBOS.runStep(async () => ({ id }), { name: 'charge' });
  const order = DBOS.registerWorkflow(charge, { name: 'order' });
  DBOS.setConfig({
    name: 'bench',
    systemDatabaseUrl: url,
    systemDatabasePoolSize: poolSize,
    logLevel: 'error',
    executorID: 'bench',
    ...application,
  });
  await DBOS.launch();
  const start = (req) => DBOS.startWorkflow(order, { workflowID: req.get('idempotency-key') })(req.body);
  app.post('/start', async (req, res) => res.status(202).json({ id: (await start(req)).workflowID }));
  app.post('/handler', async (req, res) => res.status(201).json(await (await start(req)).getResult()));
}

async function openClient(url) {
  const client = await DBOSClient.create({
    systemDatabaseUrl: url,
    systemDatabasePoolSize: poolSize,
    applicationName: 'bench',
  });
  const enqueue = (name, input) =>
    client.enqueue({ queueName, workflowName: name, appVersion: application.applicationVersion }, input);
  return {
    start: enqueue,
    enqueue,
    enqueueMany: (name, inputs) => enqueueEach(inputs, (input) => enqueue(name, input)),
    unfinished: () => unfinished(url),
    close: () => client.destroy(),
  };
}

// There is no bulk form: as many at a time as the pool serves.
async function enqueueEach(inputs, enqueue) {
  let next = 0;
  const caller = async () => {
    while (next < inputs.length) await enqueue(inputs[next++]);
  };
  await Promise.all(Array.from({ length: 100 }, caller));
}

const unfinished = (url) =>
  onClient(url, async (client) =>
    Number(
      await value(
        client,
        `select count(*) from dbos.workflow_status where status in ('PENDING', 'ENQUEUED', 'DELAYED')`,
      ),
    ),
  );

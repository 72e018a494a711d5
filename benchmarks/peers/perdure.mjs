// Ours, from the built packages. What the engine does not offer yet is left out of `offers` and reported as not available.

import { onClient, value } from '../lib/cluster.mjs';
import { packageVersion } from '../lib/package-version.mjs';
import { programs } from '../lib/programs.mjs';

// Not a static import: the linter would miss what the engine does not have yet.
const perdure = await import('perdure');
export const version = packageVersion('perdure');
const has = (...names) => names.every((name) => perdure[name] !== undefined);
export const offers = ['runs', 'sleep', 'remote', 'recovery', 'long', 'history', 'express', 'nest'];
if (has('topic', 'receive')) offers.push('messages');
if (has('queue')) offers.push('queue');
/** The default. */
export const leaseMs = 6_000;
export const parksCheaply = true;

const queueName = 'bench';
const prefetch = 2_000;
const mail = perdure.topic?.('mail');
const verbs = {
  step: (name, fn) => perdure.runStep(name, fn),
  sleep: (ms) => perdure.sleep(ms),
  receive: () => perdure.receive(mail),
};

export async function open({ url, role = 'both', concurrency = 1_000 }) {
  const workflows = Object.fromEntries(
    Object.entries(programs).map(([name, program]) => [name, perdure.workflow(name, (input) => program(input, verbs))]),
  );
  const engine = perdure.createEngine({
    database: url,
    workflows: role === 'client' ? [] : Object.values(workflows),
    ...(has('queue') ? { queues: [perdure.queue(queueName)] } : {}),
    // Draining: as many at once as the others, and as many more as graphile-worker holds ready.
    maxConcurrentRuns: role === 'worker' ? concurrency + prefetch : Math.max(concurrency, 1_000),
    logger: perdure.silentLogger,
  });
  await engine.launch();
  const enqueue = (name, input) => engine.startWorkflow(workflows[name], input, { queue: queueName });
  return {
    start: (name, input) => engine.startWorkflow(workflows[name], input),
    run: async (name, input) => (await engine.startWorkflow(workflows[name], input)).result(),
    send: (run, _, message) => engine.send(run.id, mail, message),
    enqueue,
    enqueueMany: (name, inputs) =>
      engine.startWorkflows(
        workflows[name],
        inputs.map((input) => ({ input, queue: queueName })),
      ),
    unfinished: () => count(url, ['queued', 'running', 'waiting']),
    parked: () => count(url, ['waiting']),
    close: () => engine.close(),
  };
}

/** Routes /start and /handler, of an application that parses JSON. */
export async function mountExpress(app, { url }) {
  const { durableHandler, perdure: middleware, startRoute } = await import('@perdure/express');
  const { createEngine, runStep, silentLogger, workflow } = perdure;
  const order = workflow('order', async ({ id }) => runStep('charge', async () => ({ id })));
  const handler = durableHandler('handler', async (req, res) => {
    res.status(201).json(await runStep('charge', async () => ({ id: req.body.id })));
  });
  const engine = createEngine({ database: url, workflows: [order], logger: silentLogger });
  app.use(middleware(engine, { handlers: [handler] }));
  app.post('/start', startRoute(order));
  app.post('/handler', handler);
  await engine.launch();
}

/** Workflow `steps` as a class of a Nest application, whose step is a method. There is no compiler here, so the decorators are called. */
export async function openNest({ url, concurrency }) {
  const { NestFactory } = await import('@nestjs/core');
  const { getEngineToken, PerdureModule, Step, Workflow } = await import('@perdure/nestjs');
  class Steps {
    async run({ count }) {
      for (let i = 0; i < count; i++) await this.s(i);
      return count;
    }
    async s(i) {
      return i;
    }
  }
  const method = Object.getOwnPropertyDescriptor(Steps.prototype, 's');
  Object.defineProperty(Steps.prototype, 's', Step()(Steps.prototype, 's', method) ?? method);
  Workflow('steps')(Steps);
  const module = PerdureModule.forRoot({
    database: url,
    maxConcurrentRuns: Math.max(concurrency, 1_000),
    logger: perdure.silentLogger,
  });
  class Application {}
  const app = await NestFactory.createApplicationContext(
    { module: Application, imports: [module], providers: [Steps] },
    { logger: false },
  );
  const engine = app.get(getEngineToken());
  return {
    run: async (_, input) => (await engine.startWorkflow(Steps, input)).result(),
    close: () => app.close(),
  };
}

const count = (url, statuses) =>
  onClient(url, async (client) =>
    Number(await value(client, 'select count(*) from perdure.runs where status = any($1)', [statuses])),
  );

/** Finished runs of five steps, as an engine would have left them: vacuumed, with statistics, after a checkpoint. */
export async function writeHistory({ url, runs }) {
  await onClient(url, async (client) => {
    await client.query(`set synchronous_commit = off; set work_mem = '256MB'`);
    // In portions: one statement over all would need temporary files of its own size.
    for (let from = 0; from < runs; from += historyPortion) {
      const to = Math.min(runs, from + historyPortion) - 1;
      await client.query({ ...writeRuns, values: [from, to] });
      await client.query({ ...writeSteps, values: [from, to] });
    }
    await client.query('vacuum (analyze) perdure.runs');
    await client.query('vacuum (analyze) perdure.steps');
    await client.query('checkpoint');
  });
}

const historyPortion = 250_000;

// Ids are UUIDv7s of last month, a few per millisecond, ascending as they came.
const pastId = `(lpad(to_hex((extract(epoch from now() - interval '30 days') * 1000)::bigint + g / 20), 12, '0')
  || '7' || lpad(to_hex(g % 4096), 3, '0') || '8' || substr(md5(g::text), 1, 15))::uuid::text`;

const writeRuns = {
  text: `insert into perdure.runs (id, workflow, status, epoch, input, output, created_at, started_at, finished_at)
    select ${pastId}, 'steps', 'succeeded', 1, '{"count":5}', '5', t, t, t
    from generate_series($1::int, $2::int) g, (select now() - interval '30 days' as t) past
    order by g`,
};

const writeSteps = {
  text: `insert into perdure.steps (run_id, seq, name, occurrence, kind, epoch, output, started_at, finished_at)
    select r.id, s, 's', s, 'step', 1, s::text, t, t
    from (select ${pastId} as id, g from generate_series($1::int, $2::int) g order by g) r,
         lateral generate_series(1, 5) s,
         (select now() - interval '30 days' as t) past`,
};

// What the compiler accepts and refuses of queues, schedules, transactions and lists of runs. Never executed.

import {
  createEngine,
  pgSource,
  queue,
  runTransaction,
  schedule,
  step,
  topic,
  workflow,
  type DataSource,
  type Engine,
  type PgClient,
  type RunHandle,
  type Schedule,
  type Tick,
} from 'perdure';
import { expectType } from './expect-type.js';

declare const engine: Engine;
declare const ledger: DataSource<PgClient>;

const mail = queue('mail', { concurrency: 20, perKey: { concurrency: 2 } });
const index = workflow('index', async (page: number) => `${page}`);
const cleanUp = workflow('clean up', async () => undefined);
const report = workflow('report', async ({ input }: Tick<{ readonly shop: string }>) => input.shop);
const digest = workflow('digest', async ({ scheduledAt }: Tick) => scheduledAt);
const sendMail = step('send mail', async (to: string, text: string) => to.length + text.length);

export function queues(): void {
  queue('all', { executorConcurrency: 2, rateLimit: { limit: 9, per: '1m', key: 'partition' } });
  createEngine({ database: '', queues: [mail], serveQueues: [mail, 'other'] });
  // @ts-expect-error there is no such limit
  queue('bad', { workerConcurrency: 2 });
  // @ts-expect-error a limit is a number
  queue('bad', { concurrency: '2' });
  // @ts-expect-error a rate has a window
  queue('bad', { rateLimit: { limit: 9 } });
  // @ts-expect-error a rate counts the queue, or each key of it
  queue('bad', { rateLimit: { limit: 9, per: '1m', key: 'workflow' } });
  // @ts-expect-error a queue is declared by queue()
  createEngine({ database: '', queues: ['mail'] });
}

export async function starts(): Promise<void> {
  await engine.startWorkflow(index, 1, { queue: mail, partitionKey: 'ada', priority: -1, dedupKey: 'page-1' });
  await engine.startWorkflow(index, 1, { queue: 'mail' });
  expectType<readonly RunHandle<string>[]>()(await engine.startWorkflows(index, [{ input: 1, queue: mail }]));
  expectType<readonly RunHandle<undefined>[]>()(await engine.startWorkflows(cleanUp, [{}, { id: 'tonight' }]));
  expectType<RunHandle<number>>()(await engine.startStep(sendMail, ['ada@example.com', 'Hi'], { queue: mail }));
  // @ts-expect-error a priority is a number
  await engine.startWorkflow(index, 1, { queue: mail, priority: 'high' });
  // @ts-expect-error it attaches or rejects
  await engine.startWorkflow(index, 1, { onDuplicate: 'ignore' });
  // @ts-expect-error a delay is a duration
  await engine.startWorkflow(index, 1, { delay: new Date() });
  // @ts-expect-error one input is missing
  await engine.startWorkflows(index, [{ input: 1 }, { id: 'second' }]);
  // @ts-expect-error an input has the wrong type
  await engine.startWorkflows(index, [{ input: 'one' }]);
  // @ts-expect-error inputs are not given bare
  await engine.startWorkflows(index, [1, 2]);
  // @ts-expect-error an argument is missing
  await engine.startStep(sendMail, ['ada@example.com']);
}

export function schedules(): void {
  expectType<Schedule>()(schedule('hourly', '0 * * * *', report, { input: { shop: 'Berlin' }, timeZone: 'UTC' }));
  schedule('daily', '@daily', digest, { overlap: 'skip', catchUp: { max: 7 }, queue: mail });
  schedule('often', { every: '15m' }, cleanUp, { catchUp: 'none' });
  // @ts-expect-error the input is missing
  schedule('hourly', '0 * * * *', report);
  // @ts-expect-error the input has the wrong type
  schedule('hourly', '0 * * * *', report, { input: { shop: 7 } });
  // @ts-expect-error a workflow whose input is no tick
  schedule('hourly', '0 * * * *', index);
  // @ts-expect-error a schedule starts a workflow, not a function
  schedule('hourly', '0 * * * *', async () => undefined);
  // @ts-expect-error a number says neither when nor how often
  schedule('hourly', 3_600_000, cleanUp);
  // @ts-expect-error ticks have ids of their own
  schedule('hourly', '0 * * * *', cleanUp, { id: 'hourly' });
  // @ts-expect-error there is no such policy
  schedule('hourly', '0 * * * *', cleanUp, { overlap: 'cancel' });
  // @ts-expect-error a schedule is declared by schedule()
  createEngine({ database: '', schedules: [{ name: 'hourly', cron: '0 * * * *' }] });
}

export async function transactions(pool: Parameters<typeof pgSource>[0]): Promise<void> {
  expectType<DataSource<PgClient>>()(pgSource(pool));
  expectType<number>()(await runTransaction('pay', ledger, async () => 7, { isolation: 'serializable' }));
  // @ts-expect-error there is no such isolation
  await runTransaction('pay', ledger, async () => 7, { isolation: 'snapshot' });
  // @ts-expect-error a pool is not a data source
  await runTransaction('pay', pool, async () => 7);
  // @ts-expect-error what a transaction does takes time
  await runTransaction('pay', ledger, () => 7);
  // @ts-expect-error the client of this source has no such method
  await runTransaction('pay', ledger, async (client) => void client.select());
}

export async function startsInTransactions(client: PgClient): Promise<void> {
  await engine.startWorkflow(index, 1, { transaction: client });
  await engine.startWorkflow(index, 1, { transaction: ledger.use(client) });
  await engine.send('order-7', topic<number>('count'), 1, { transaction: client });
  // @ts-expect-error a data source is no transaction
  await engine.startWorkflow(index, 1, { transaction: ledger });
  // @ts-expect-error neither is the name of one
  await engine.send('order-7', topic<number>('count'), 1, { transaction: 'tx' });
  // @ts-expect-error ticks are started in transactions of their own
  schedule('hourly', '0 * * * *', cleanUp, { transaction: client });
}

export async function lists(): Promise<void> {
  await engine.runs.list({ status: ['failed', 'paused'], queue: 'mail', createdAfter: new Date(), limit: 20 });
  // @ts-expect-error there is no such status
  await engine.runs.list({ status: 'done' });
  // @ts-expect-error a moment is a Date
  await engine.runs.list({ createdAfter: '2026-01-01' });
  // @ts-expect-error there is no such filter
  await engine.runs.list({ name: 'checkout' });
  // @ts-expect-error payloads are not in lists
  (await engine.runs.list()).runs[0]?.input;
}

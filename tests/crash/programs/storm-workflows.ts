// More of what the workers of the kill storm host: runs that talk to one another, share a queue with limits, pay and tick.
// As in workflows.ts, each has a model of what it must come to. What they leave in tables of their own is checked too.

import {
  closeStream,
  currentRun,
  event,
  getEvent,
  pgSource,
  queue,
  receive,
  runStep,
  runTransaction,
  send,
  setEvent,
  sleep,
  startWorkflow,
  stream,
  topic,
  workflow,
  writeStream,
  type Tick,
  type WorkflowReference,
} from 'perdure';
import type pg from 'pg';
import { setTimeout as delay } from 'node:timers/promises';
import { actIn, type Input, type World } from './workflows.js';

/** What a run of each comes to. */
export const talkingScenarios: Readonly<Record<string, (n: number) => number | string>> = {
  messages: (n) => n + 2 * (n + 1) + 3 * (n + 2),
  events: (n) => 3 * n,
  streams: (n) => n + chunks,
  payments: (n) => 2 * n + 1,
  limited: (n) => crowd * n + (crowd * (crowd - 1)) / 2,
};

/** How many values each run of `streams` writes before it closes its stream. */
export const chunks = 4;

/** How many runs of `narrow` each of `limited` starts. */
const crowd = 8;

/** The limits of the queue of `narrow`, which runs of `limited` start. A slot of a killed process is free after its lease. */
export const narrowLimits = { concurrency: 12, perKey: { concurrency: 4 } } as const;
export const narrowQueue = queue('narrow', narrowLimits);

/** A queue without limits, in which `bulk` is started by the thousand. */
export const backlog = queue('backlog');

/** One in so many runs of `bulk` pays; the others end at once. */
export const bulkPayers = 10;

/** Where payments, ticks and the times of runs in the narrow queue are noted. */
export const stormTables = `
create table payments (run text not null, what text not null, n int not null);
create table bulks (n int not null);
create table ticks (scheduled_at timestamptz not null);
create table spans (run text not null, key text not null, began_at timestamptz not null default clock_timestamp(),
                    ended_at timestamptz, id serial primary key)`;

/** How often `ticking` is started, in milliseconds. */
export const tickMs = 1_000;

const amounts = topic<number>('amounts');
const ready = event<number>('ready');
const values = stream<number>('values');

/** The workflows of a world, besides those of workflows.ts. */
export function defineTalkingWorkflows(world: World): WorkflowReference<never, unknown>[] {
  const act = actIn(world);
  const resultOf = async (id: string): Promise<number> => (await world.engine?.getHandle<number>(id).result()) ?? NaN;

  const mailbox = workflow('mailbox', async ({ pauseMs }: Input) => {
    let sum = 0;
    for (let place = 1; place <= 3; place += 1) {
      const number = (await receive(amounts)) ?? NaN;
      sum = await act(`received ${place}`, sum + place * number, pauseMs);
    }
    return sum;
  });

  const messages = workflow('messages', async ({ n, pauseMs }: Input) => {
    const id = await startWorkflow(mailbox, { n, pauseMs });
    for (let place = 0; place < 3; place += 1) {
      await send(id, amounts, n + place);
      await act(`sent ${place}`, null, pauseMs);
    }
    return resultOf(id);
  });

  const publisher = workflow('publisher', async ({ n, pauseMs }: Input) => {
    await act('before', null, pauseMs);
    await setEvent(ready, 3 * n);
    await act('after', null, pauseMs);
  });

  const events = workflow('events', async ({ n, pauseMs }: Input) => {
    const id = await startWorkflow(publisher, { n, pauseMs });
    return getEvent(id, ready);
  });

  const streams = workflow('streams', async ({ n, pauseMs }: Input) => {
    for (let at = 0; at < chunks; at += 1) {
      await writeStream(values, n + at);
      await act(`wrote ${at}`, null, pauseMs);
    }
    await closeStream(values);
    return n + chunks;
  });

  const narrow = workflow('narrow', ({ n, pauseMs }: Input) => runStep('narrow', () => passNarrow(world, n, pauseMs)));

  const limited = workflow('limited', async ({ n, pauseMs }: Input) => {
    const numbers = Array.from({ length: crowd }, (_, index) => n + index);
    const ids = await Promise.all(
      numbers.map((number) =>
        startWorkflow(narrow, { n: number, pauseMs }, { queue: narrowQueue, partitionKey: keyOf(number) }),
      ),
    );
    const results = await Promise.all(ids.map(resultOf));
    return results.reduce((sum, result) => sum + result, 0);
  });

  return [
    mailbox,
    messages,
    publisher,
    events,
    streams,
    narrow,
    limited,
    definePayments(world),
    defineTicking(world),
    defineBulk(world),
  ];
}

function keyOf(n: number): string {
  return `key ${n % 4}`;
}

async function passNarrow({ pool }: World, n: number, pauseMs: number): Promise<number> {
  const insert = 'insert into spans (run, key) values ($1, $2) returning id';
  const { rows } = await pool.query<{ id: number }>(insert, [currentRun().id, keyOf(n)]);
  await delay(Math.random() * pauseMs);
  await pool.query('update spans set ended_at = clock_timestamp() where id = $1', [rows[0]?.id]);
  return n;
}

function definePayments({ pool }: World): WorkflowReference<never, unknown> {
  const ledger = pgSource<pg.PoolClient>(pool);
  const pay = (what: string, n: number): Promise<number> =>
    runTransaction(what, ledger, async (client) => {
      await client.query('insert into payments (run, what, n) values ($1, $2, $3)', [`run ${n}`, what, n]);
      return n;
    });
  return workflow('payments', async ({ n, pauseMs }: Input) => {
    const first = await pay('first', n);
    await sleep(pauseMs);
    return first + 1 + (await pay('second', n));
  });
}

function defineTicking({ pool }: World): WorkflowReference<Tick, void> {
  const ledger = pgSource<pg.PoolClient>(pool);
  return workflow('ticking', ({ scheduledAt }: Tick) =>
    runTransaction('tick', ledger, async (client) => {
      await client.query('insert into ticks (scheduled_at) values ($1)', [scheduledAt]);
    }),
  );
}

function defineBulk({ pool }: World): WorkflowReference<number, number> {
  const ledger = pgSource<pg.PoolClient>(pool);
  return workflow('bulk', async (n: number) => {
    if (n % bulkPayers !== 0) return n;
    return runTransaction('pay', ledger, async (client) => {
      await client.query('insert into bulks (n) values ($1)', [n]);
      return n;
    });
  });
}

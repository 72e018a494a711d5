// The server dies, ends connections, swallows answers and refuses to serialize, while one engine works through it all.

import { expect, test } from '@jest/globals';
import { seededRandom } from '@perdure/testing';
import { contract, type Engine, type RunHandle } from 'perdure';
import { setTimeout as delay } from 'node:timers/promises';
import { defineWorkflows, scenarios, type Input } from './programs/workflows.js';
import { useDurableDatabase } from './support/durable-database.js';
import { findSecondExecutions } from './support/effects.js';

const db = useDurableDatabase();
const seed = Date.now() % 1_000_000;

interface Load {
  readonly runs: readonly { readonly name: string; readonly n: number; readonly run: RunHandle<number> }[];
}

/** Starts runs of every scenario, one after the other, as fast as the engine acknowledges them, until `isOver`. */
async function load(engine: Engine, isOver: () => boolean): Promise<Load['runs']> {
  const names = Object.keys(scenarios);
  const runs: { readonly name: string; readonly n: number; readonly run: RunHandle<number> }[] = [];
  for (let n = 0; !isOver(); n += 1) {
    const name = names[n % names.length] ?? '';
    const run = await engine.startWorkflow(contract<Input, number>(name), { n, pauseMs: 20 }, { id: `${name}-${n}` });
    runs.push({ name, n, run });
    await delay(10);
  }
  return runs;
}

/** An engine that hosts the scenarios, on the database behind `url`. No one is there to take anything over. */
async function launchHost(url = db.url): Promise<Engine> {
  const world = { ...db.world };
  const engine = await db.launchEngine({
    database: url,
    workflows: defineWorkflows(world),
    lease: '1m',
    parkAfter: 100,
  });
  world.engine = engine;
  return engine;
}

const nothingLost = { wrong: [], repeated: [] };

/** Acknowledged runs that have not come to what they should, and steps that were executed twice. */
async function findLosses(runs: Load['runs']): Promise<object> {
  const outcomes = await Promise.all(
    runs.map(async ({ name, n, run }) => ({ name, n, outcome: await run.result().catch((e: Error) => e.message) })),
  );
  const wrong = outcomes.filter(({ name, n, outcome }) => outcome !== scenarios[name]?.(n));
  return { wrong, repeated: await findSecondExecutions(db) };
}

test('a server that restarts every two seconds, also by crashes, costs no run and repeats no step [166, 191]', async () => {
  const engine = await launchHost();
  let isOver = false;
  const loading = load(engine, () => isOver);

  await delay(1_000);
  await db.cluster.restart('immediate');
  await delay(2_000);
  await db.cluster.kill();
  await db.cluster.restart();
  await delay(2_000);
  await db.cluster.restart('fast');
  await delay(1_000);
  isOver = true;
  const runs = await loading;

  expect(await findLosses(runs)).toEqual(nothingLost);
  expect(runs.length).toBeGreaterThan(100);
});

test('connections that the server ends at any moment cost no run and repeat no step [166, 191]', async () => {
  const engine = await launchHost();
  let ended = 0;
  const loading = load(engine, () => ended > 100);

  while (ended <= 100) {
    const [row] = await db.query<{ ended: number }>(
      `select count(pg_terminate_backend(pid))::int as ended from
       (select pid from pg_stat_activity where application_name = 'perdure' order by random() limit 2) p`,
    );
    ended += row?.ended ?? 0;
    await delay(50);
  }

  expect(await findLosses(await loading)).toEqual(nothingLost);
});

test(`answers that are lost after the commit cost no run and repeat no step (seed ${seed}) [3, 191]`, async () => {
  const random = seededRandom(seed);
  const proxy = await db.startProxy();
  const engine = await launchHost(proxy.url);
  const statements = ['write_batch', 'write_batch', 'claim_due', 'park_runs', 'register_waiters', 'insert_attempt'];
  let lost = 0;
  const loading = load(engine, () => lost >= 60);

  for (; lost < 60; lost += 1) {
    await Promise.race([proxy.dropAnswerTo(`perdure_${random.pick(statements)}`), delay(500)]);
    await delay(random.integer(0, 50));
  }

  expect(await findLosses(await loading)).toEqual(nothingLost);
});

test('statements that fail with conflicts and lack of resources are repeated to the same effect [162, 191]', async () => {
  const codes = ['40001', '40P01', '53300', '53100', '57014', '55P03'];
  await db.query(`
    create sequence faults;
    create function fail_sometimes() returns trigger language plpgsql as $$
    begin
      if nextval('faults') % 4 = 0 then
        raise exception 'a fault of the test' using errcode = (array[${codes.map((code) => `'${code}'`).join()}])[1 + random() * 5];
      end if;
      return null;
    end $$;
    create trigger fail before insert or update on perdure.runs for each statement execute function fail_sometimes();
    create trigger fail before insert on perdure.steps for each statement execute function fail_sometimes();
    create trigger fail before insert on perdure.step_attempts for each statement execute function fail_sometimes();
    create trigger fail before update on perdure.executors for each statement execute function fail_sometimes()`);
  const engine = await launchHost();
  let isOver = false;
  const loading = load(engine, () => isOver);

  await delay(3_000);
  isOver = true;

  expect(await findLosses(await loading)).toEqual(nothingLost);
  await engine.close();
  await db.query('drop function fail_sometimes cascade; drop sequence faults');
});

// A process dies before or after each statement that it sends, and in each step. Whichever it was, the final state is the
// same as without a crash.

import { beforeAll, expect, test } from '@jest/globals';
import { contract, createEngine, printMigrations, silentLogger } from 'perdure';
import { defineWorkflows, type Input, type World } from './programs/workflows.js';
import { useDurableDatabase } from './support/durable-database.js';
import { findRepetitions } from './support/effects.js';
import type { WorkerOptions } from './support/worker-options.js';

const db = useDurableDatabase();
const input = { n: 7, pauseMs: 20 } as const;

/** A worker that starts the scenario itself. The schema is also the id of its run. */
function workerOptions(schema: string): WorkerOptions {
  const starts = { workflow: 'everything', id: schema, ...input };
  return { schema, lease: '500ms', parkAfter: 0, listen: false, pollInterval: '50ms', starts };
}

// Each statement is met many times; what a run does to itself is tried several times, what goes on around it once.
const most = Number(process.env['PERDURE_CRASH_TIMES'] || 3);
const timesPerPoint = (point: string): number => (/step:|batch|park|attempt|waiters|histories/.test(point) ? most : 1);
const parallelCases = 3;

/** What is left of the run and its children: outcomes and histories, without times and claims. */
async function finalState(schema: string): Promise<unknown> {
  const runs = await db.query(
    `select id, workflow, status, input, output, error, parent_id from ${schema}.runs order by id`,
  );
  const steps = await db.query(
    `select run_id, name, occurrence, kind, output, error is not null as failed, child_id
     from ${schema}.steps order by run_id, name, occurrence`,
  );
  return JSON.parse(JSON.stringify({ runs, steps }).replaceAll(schema, 'main'));
}

/** Ends whatever a crashed worker has left, as a caller does who starts again with the same id. */
async function finish(schema: string): Promise<void> {
  const world: World = { ...db.world };
  const engine = createEngine({
    database: db.url,
    schema,
    logger: silentLogger,
    workflows: defineWorkflows(world),
    lease: '500ms',
    listen: false,
    pollInterval: '50ms',
  });
  world.engine = await engine.launch();
  try {
    await (await engine.startWorkflow(contract<Input>('everything'), input, { id: schema })).result();
  } finally {
    await engine.close();
  }
}

/** Runs the scenario in a process that dies at a crash point, and finishes it here. Returns whether it died. */
async function crashAt(crashPoint: string, schema: string): Promise<boolean> {
  await db.query(printMigrations(schema));
  const worker = db.spawnWorker({ ...workerOptions(schema), crashAt: crashPoint });
  const { code, signal } = await worker.exited;
  if (code !== null && code !== 0) await worker.message('ready'); // rejects, and says why it failed
  await finish(schema);
  return signal === 'SIGKILL';
}

let expected: unknown;
let crashPoints: string[] = [];

beforeAll(async () => {
  await db.query(printMigrations('undisturbed'));
  const worker = db.spawnWorker({ ...workerOptions('undisturbed'), isTraced: true });
  const { passed } = (await worker.message('closed', { timeoutMs: 30_000 })) as { passed: string[] };
  expected = await finalState('undisturbed');
  crashPoints = passed
    .map((point, at) => `${point}:${passed.slice(0, at + 1).filter((earlier) => earlier === point).length}`)
    .filter((point) => Number(point.split(':').at(-1)) <= timesPerPoint(point));
});

test('a crash before or after any statement, and in any step, leaves the same final state [1, 10, 192]', async () => {
  const failures: unknown[] = [];
  let deaths = 0;
  const queue = crashPoints.map((point, at) => ({ point, schema: `crash_${at}` }));
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { point, schema } = next;
      if (await crashAt(point, schema)) deaths += 1;
      try {
        expect(await finalState(schema)).toEqual(expected);
        expect(await findRepetitions(db, schema)).toEqual([]);
      } catch (error) {
        failures.push(`${point}: ${String(error)}`);
      }
      await db.query(`drop schema ${schema} cascade`);
    }
  };

  await Promise.all(Array.from({ length: parallelCases }, work));

  expect(failures).toEqual([]);
  expect(crashPoints.length).toBeGreaterThan(40);
  // How often timers and polls come round differs a little from one execution to the next.
  expect(deaths).toBeGreaterThan(0.9 * crashPoints.length);
}, 300_000);

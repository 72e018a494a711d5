// Sleeps that outlive the process that began them.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { runStep, sleep, workflow, type Workflow } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

interface Slept extends Record<string, unknown> {
  readonly slept: number;
}

/** The recorded sleep of a run, and how long it was from the step before. */
async function sleptMs(runId: string): Promise<number> {
  const rows = await db.query<Slept>(
    `select (extract(epoch from s.finished_at - before.finished_at) * 1000)::float8 as slept
     from perdure.steps s join perdure.steps before on before.run_id = s.run_id and before.seq = s.seq - 1
     where s.run_id = $1 and s.kind = 'sleep'`,
    [runId],
  );
  return rows[0]?.slept ?? NaN;
}

const sleeperNamed = (name: string, duration: string): Workflow<void, string> =>
  workflow(name, async () => {
    await runStep('fall asleep', () => 'asleep');
    await sleep(duration);
    return runStep('wake up', () => 'awake');
  });

test.each([
  ['in memory', '1h'],
  ['parked', '0ms'],
])('a sleep %s goes on after the process was killed, for the rest of its time only [77]', async (place, parkAfter) => {
  const id = `killed ${place}`;
  const child = db.spawn('sleeper', { args: [id, '4s'], engine: { parkAfter } });
  await child.message('sleeping');
  const isAsleep = (): Promise<unknown[]> => db.query('select 1 from perdure.steps where run_id = $1', [id]);
  await waitFor(isAsleep, { what: 'the step before the sleep', until: (steps) => steps.length === 1 });

  child.kill('SIGKILL');
  await child.exited;
  const engine = await db.launchEngine({ workflows: [sleeperNamed(id, '4s')] });

  expect(await engine.getHandle(id).result()).toBe('awake');
  // Begun anew after the takeover, it would have taken more than a second longer.
  expect(await sleptMs(id)).toBeGreaterThanOrEqual(4_000);
  expect(await sleptMs(id)).toBeLessThan(5_000);
});

test('a parked sleeper needs no process: one that is launched after its time wakes it [81]', async () => {
  const id = 'nobody-there';
  const child = db.spawn('sleeper', {
    args: [id, '300ms'],
    engine: { parkAfter: 0 },
    crashAt: 'after:perdure_park_runs',
  });
  await child.exited;
  const isDue = 'select status, executor from perdure.runs where id = $1 and due_at < now()';
  const [due] = await waitFor(() => db.query(isDue, [id]), {
    what: 'the run to be due',
    until: (rows) => rows.length > 0,
  });

  const engine = await db.launchEngine({ workflows: [sleeperNamed(id, '300ms')] });

  expect(due).toEqual({ status: 'waiting', executor: null });
  expect(await engine.getHandle(id).result()).toBe('awake');
  expect(await engine.runs.get(id)).toMatchObject({ recoveries: 0, epoch: 2 });
});

test('a sleeper of days costs no memory: its run has left the process [81]', async () => {
  const held: WeakRef<object>[] = [];
  const sleeper = workflow('weightless', async () => {
    const ballast = { bytes: new Uint8Array(1_000) };
    held.push(new WeakRef(ballast));
    await sleep('3 days');
    return ballast.bytes.length;
  });
  const engine = await db.launchEngine({ workflows: [sleeper] });
  await Promise.all(Array.from({ length: 20 }, () => engine.startWorkflow(sleeper)));
  const areParked = `select 1 from perdure.runs where workflow = 'weightless' and status = 'waiting'`;
  await waitFor(() => db.query(areParked), { what: '20 parked runs', until: (rows) => rows.length === 20 });

  const alive = (): number => held.filter((reference) => reference.deref() !== undefined).length;

  expect(held).toHaveLength(20);
  const countAfterCollection = (): number => {
    collectGarbage();
    return alive();
  };
  await waitFor(() => countAfterCollection() === 0, { what: 'the ballast of all runs to be collected' });
});

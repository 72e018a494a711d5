// Processes die at random while they work, again and again. In the end everything has happened as if none had.

import { expect, test } from '@jest/globals';
import { seededRandom, waitFor, type SpawnedProcess } from '@perdure/testing';
import { contract, type RunHandle } from 'perdure';
import { setTimeout as delay } from 'node:timers/promises';
import { scenarios, type Input } from './programs/workflows.js';
import { useDurableDatabase } from './support/durable-database.js';
import { findRepetitions } from './support/effects.js';

const db = useDurableDatabase();
const runCount = Number(process.env['PERDURE_STORM_RUNS'] || 300);
const seed = Number(process.env['PERDURE_STORM_SEED'] || Date.now() % 1_000_000);
const names = Object.keys(scenarios);
const timeoutMs = 60_000 + 100 * runCount;

/** Four workers, one of which is killed every half to two seconds and replaced. Call the result to end that. */
function startStorm(): () => Promise<number> {
  const random = seededRandom(seed);
  const workers: SpawnedProcess[] = [1, 2, 3, 4].map(() => db.spawnWorker({ lease: '1s', parkAfter: '200ms' }));
  const control = new AbortController();
  let kills = 0;
  const storm = async (): Promise<void> => {
    while (!control.signal.aborted) {
      await delay(random.integer(500, 2_000), undefined, { signal: control.signal }).catch(() => undefined);
      if (control.signal.aborted) return;
      const victim = random.integer(0, 3);
      workers[victim]?.kill('SIGKILL');
      workers[victim] = db.spawnWorker({ lease: '1s', parkAfter: '200ms' });
      kills += 1;
    }
  };
  const ended = storm();
  return async () => {
    control.abort();
    await ended;
    return kills;
  };
}

/** What a run came to, in the form of the model. */
async function outcomeOf(run: RunHandle<number>): Promise<number | string> {
  return run.result().catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
}

test(
  `every run comes to what it would without crashes, and no recorded step is repeated (seed ${seed}) [187]`,
  async () => {
    const client = await db.launchEngine({ lease: '1s' });
    const endStorm = startStorm();
    const paceMs = Math.max(20, 20_000 / runCount);

    const runs: { readonly name: string; readonly n: number; readonly run: RunHandle<number> }[] = [];
    for (let n = 0; n < runCount; n += 1) {
      const name = names[n % names.length] ?? '';
      runs.push({ name, n, run: await client.startWorkflow(contract<Input, number>(name), { n, pauseMs: 30 }) });
      await delay(paceMs);
    }
    const outcomes = await Promise.all(runs.map(async ({ name, n, run }) => [name, n, await outcomeOf(run)] as const));
    const kills = await endStorm();

    const wrong = outcomes.filter(([name, n, outcome]) => outcome !== scenarios[name]?.(n));
    const stuck = await waitFor(
      () => db.query(`select id, status, epoch from perdure.runs where status not in ('succeeded', 'failed')`),
      { what: 'the started children to finish', until: ({ length }) => length === 0 },
    );
    expect({ wrong, stuck, repetitions: await findRepetitions(db) }).toEqual({ wrong: [], stuck: [], repetitions: [] });
    expect(kills).toBeGreaterThan(10);
    expect(await db.query('select from perdure.runs where recoveries > 0')).not.toEqual([]);
  },
  timeoutMs,
);

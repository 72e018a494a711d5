// Runs with long histories: steps cost the same wherever they stand, and replay is quick.

import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { runStep, sleep, workflow } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const patienceMs = 180_000;
const steps = 10_000;

test(
  'a run of 10,000 steps takes as long for the last thousands as for the first ones, and replays quickly',
  async () => {
    const replays: number[] = [];
    const thousands: number[] = [performance.now()];
    const long = workflow('long', async () => {
      const startedAt = performance.now();
      let sum = 0;
      for (let i = 0; i < steps; i++) {
        sum += await runStep('s', () => 1);
        if (i % 1_000 === 999) thousands.push(performance.now());
      }
      replays.push(performance.now() - startedAt);
      await sleep('1h');
      return sum;
    });
    const engine = await db.launchEngine({ workflows: [long], pollInterval: '50ms', lease: '20s' });
    const { id } = await engine.startWorkflow(long);
    await waitFor(() => engine.runs.get(id), {
      what: 'the run to park',
      until: (run) => run?.status === 'waiting',
      timeoutMs: patienceMs,
    });
    const durations = thousands.slice(1, 11).map((at, index) => at - (thousands[index] ?? 0));

    await db.query(`update perdure.runs set due_at = now() where id = $1`, [id]);
    await waitFor(() => replays.length === 2, { what: 'the replay', timeoutMs: 60_000 });

    const [live = 0, replay = Infinity] = replays;
    // The best of three each: were a step's cost to grow with its history, it would be fifteen times as much.
    expect(Math.min(...durations.slice(-3))).toBeLessThan(4 * Math.min(...durations.slice(0, 3)));
    // 0.1 s on an idle machine; the machine of the tests does other things as well.
    expect(replay).toBeLessThan(Math.min(5_000, live / 3));
  },
  patienceMs,
);

test(
  'a run of 5,000 steps and 5,000 sleeps at once replays quickly',
  async () => {
    const replays: number[] = [];
    const wide = workflow('wide', async () => {
      const startedAt = performance.now();
      const half = Array.from({ length: steps / 2 }, (_, index) => index);
      const all = half.flatMap((index) => [runStep('s', () => index), sleep(index % 100).then(() => index)]);
      const results = await Promise.all(all);
      replays.push(performance.now() - startedAt);
      await sleep('1h');
      return results.length;
    });
    const engine = await db.launchEngine({ workflows: [wide], pollInterval: '50ms', lease: '20s' });
    const { id } = await engine.startWorkflow(wide);
    const isParked = (run?: { readonly status: string }): boolean => run?.status === 'waiting';
    await waitFor(() => engine.runs.get(id), { what: 'the run to park', until: isParked, timeoutMs: patienceMs });

    await db.query(`update perdure.runs set due_at = now() where id = $1`, [id]);
    await waitFor(() => replays.length === 2, { what: 'the replay', timeoutMs: 60_000 });

    const [live = 0, replay = Infinity] = replays;
    expect(replay).toBeLessThan(Math.max(live, 5_000));
  },
  patienceMs,
);

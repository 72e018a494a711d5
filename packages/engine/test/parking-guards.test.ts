// Waits are promises that simply do not settle while a run is away: no catch and no finally around them ever runs for it.

import { describe, expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { workflow, sleep, sleepUntil, type Engine, type Workflow } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

const napping = workflow('napping', () => sleep('1h'));

/** What is waited for, as workflow code; with a handle it needs the engine. */
const waits: Readonly<Record<string, (engine: Engine) => Promise<unknown>>> = {
  sleep: () => sleep('1h'),
  sleepUntil: () => sleepUntil(Date.now() + 3_600_000),
  child: () => napping(),
  result: async (engine) => (await engine.startWorkflow(napping)).result(),
  race: () => Promise.race([sleep('1h'), napping()]),
};

interface Guarded {
  readonly engine: Engine;
  readonly id: string;
  readonly trace: readonly string[];
}

/** A run that waits in a try, in an engine whose runs stay in memory. */
async function startGuarded(name: string, end: string): Promise<Guarded> {
  const trace: string[] = [];
  const place: { engine?: Engine } = {};
  const guarded: Workflow<void, void> = workflow(`guarded-${name}-${end}`, async () => {
    try {
      trace.push('waiting');
      if (place.engine !== undefined) await waits[name]?.(place.engine);
      trace.push('went on');
    } catch {
      trace.push('catch');
    } finally {
      trace.push('finally');
    }
  });
  const options = { workflows: [guarded, napping], parkAfter: '2h', pollInterval: '50ms' };
  const engine = (place.engine = await db.launchEngine(options));
  const { id } = await engine.startWorkflow(guarded);
  await waitFor(() => trace.length > 0, { what: 'the run to wait' });
  return { engine, id, trace };
}

describe.each(Object.keys(waits))('around the wait %s', (name) => {
  test('neither catch nor finally runs when the run is taken over [180]', async () => {
    const { engine, id, trace } = await startGuarded(name, 'takeover');

    await db.query(`update perdure.executors set dead_at = now() where id = $1`, [
      (await engine.runs.get(id))?.executor,
    ]);
    await waitFor(() => trace.length > 1, { what: 'the run to be executed again' });

    expect(trace).toEqual(['waiting', 'waiting']);
    expect((await engine.runs.get(id))?.epoch).toBeGreaterThan(1);
  });

  test('neither catch nor finally runs when the engine is closed [180]', async () => {
    const { engine, id, trace } = await startGuarded(name, 'close');

    await engine.close();

    const [run] = await db.query<{ status: string; is_due: boolean }>(
      `select status, due_at < now() + interval '1 minute' as is_due from perdure.runs where id = $1`,
      [id],
    );
    expect(run).toEqual({ status: 'waiting', is_due: true });
    expect(trace).toEqual(['waiting']);
  });

  test('neither catch nor finally runs when the run is cancelled [180]', async () => {
    const { engine, id, trace } = await startGuarded(name, 'cancel');

    await engine.runs.cancel(id);

    await expect(engine.getHandle(id).result()).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
    expect(trace).toEqual(['waiting']);
  });
});

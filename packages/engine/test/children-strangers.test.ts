// Children whose id somebody else has taken.

import { expect, test } from '@jest/globals';
import { startWorkflow, workflow } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const child = workflow('child', async (who: string) => `by ${who}`);

test.each(['running', 'ended', 'in another process'])(
  'a run that somebody else has started under the id of a child is not taken for it, when it is %s',
  async (where) => {
    const id = `parent ${where}`;
    const parent = workflow('parent', () => child('parent'));
    const engine = await db.launchEngine({ workflows: [parent, child] });
    const starter = where === 'in another process' ? await db.launchEngine() : engine;
    const stranger = await starter.startWorkflow(child, 'stranger', { id: `${id}/child` });
    if (where === 'ended') await stranger.result();

    const run = await engine.startWorkflow(parent, undefined, { id });

    await expect(run.result()).rejects.toMatchObject({ code: 'RUN_EXISTS', details: { id: `${id}/child` } });
    expect(await stranger.result()).toBe('by stranger');
  },
);

test('a start in a workflow that rejects duplicates does so, and finds its own run again', async () => {
  const starting = workflow('starting', (id: string) =>
    startWorkflow(child, 'workflow', { id, onDuplicate: 'reject' }),
  );
  const engine = await db.launchEngine({ workflows: [starting, child] });
  await engine.startWorkflow(child, 'outside', { id: 'taken' });

  const refused = await engine.startWorkflow(starting, 'taken');
  const accepted = await engine.startWorkflow(starting, 'free');

  await expect(refused.result()).rejects.toMatchObject({ code: 'RUN_EXISTS', details: { id: 'taken' } });
  expect(await accepted.result()).toBe('free');
  await db.query("update perdure.runs set status = 'failed', error = 'lost' where id = $1", [accepted.id]);
  await db.query('delete from perdure.steps where run_id = $1', [accepted.id]); // as after a crash before the checkpoint
  await engine.runs.resume(accepted.id);
  expect(await accepted.result()).toBe('free');
});

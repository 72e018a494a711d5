// Families of runs whose process dies: each run exists once, and goes on behind its own last record.

import { expect, test } from '@jest/globals';
import { familyWorkflows } from './support/family-workflows.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

const steps = ['outer 1', 'middle 1', 'inner 1', 'inner 2', 'middle 2', 'outer 2'];

async function recordedSteps(id: string): Promise<readonly string[]> {
  const sql = `select name from perdure.steps where kind = 'step' and (run_id = $1 or run_id like $1 || '/%')`;
  return (await db.query<{ name: string }>(sql, [id])).map(({ name }) => name);
}

test.each([
  'step:outer 1',
  'step:middle 1',
  'step:inner 1',
  'step:inner 2',
  'step:outer 2',
  ...[1, 2, 3, 4, 5, 6, 7].map((nth) => `after:perdure_write_batch:${nth}`),
])(
  'a family whose process dies at %s ends as if nothing had happened, and no recorded step runs again [1] [9] [10]',
  async (crashAt) => {
    const id = `family at ${crashAt}`;
    const child = db.spawn('family', { args: [id], crashAt, engine: { lease: '500ms' } });
    expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
    const recorded = await recordedSteps(id);
    const executed: string[] = [];

    const engine = await db.launchEngine({ workflows: familyWorkflows((name) => executed.push(name)).all });

    expect(await engine.getHandle(id).result()).toEqual(steps);
    expect(executed).toEqual(steps.filter((name) => !recorded.includes(name)));
    expect(await db.query(`select 1 from perdure.runs where id like $1 || '%'`, [id])).toHaveLength(3);
  },
);

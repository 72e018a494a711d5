// Runs that leave memory because their engine closes.

import { expect, test } from '@jest/globals';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

test('a process whose engine closes while a workflow goes on to a long sleep ends by itself [174]', async () => {
  const child = db.spawn('closing-worker', { engine: { parkAfter: '2h' } });
  await child.message('executing');

  child.kill('SIGTERM');
  await child.message('closing');
  child.send('go on');

  expect(await child.exited).toEqual({ code: 0, signal: null });
  const [run] = await db.query<{ status: string; steps: number; is_due: boolean }>(
    `select status, due_at < now() + interval '1 minute' as is_due, (select count(*)::int from perdure.steps where run_id = r.id) as steps
     from perdure.runs r`,
  );
  expect(run).toEqual({ status: 'waiting', is_due: true, steps: 1 });
  expect(child.lines.filter((line) => line.includes('closed'))).toHaveLength(1);
});

// Schedulers that are killed at the worst moments: no tick is lost, and none starts two runs.

import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { schedule, workflow, type Tick } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

test.each([
  ['before it moves the schedule on', 'before:perdure_admit_ticks'],
  ['between that and the start of the run', 'after:perdure_admit_ticks'],
  ['between the start and noting it', 'before:perdure_settle_ticks'],
  ['after noting it', 'after:perdure_settle_ticks'],
])('a tick whose scheduler is killed %s starts one run [148]', async (_name, crashAt) => {
  const tock = workflow('tock', async ({ scheduledAt }: Tick) => scheduledAt);
  const manager = await db.launchEngine();
  const name = `killed ${crashAt}`;
  const id = `schedule/${name}/2026-01-01T00:00:00.000Z`;
  await manager.schedules.create(schedule(name, '@yearly', tock, { overlap: 'queue' }));
  await manager.close();
  await db.query(`update perdure.schedules set next_due_at = '2026-01-01T00:00Z' where name = $1`, [name]);

  const { signal } = await db.spawn('scheduling', { crashAt }).exited;
  const engine = await db.launchEngine({ workflows: [tock], pollInterval: '50ms' });
  const run = await waitFor(() => engine.runs.get(id), {
    what: 'the run',
    until: (found) => found?.status === 'succeeded',
  });

  await waitFor(async () => (await engine.schedules.get(name))?.backlog.length === 0, { what: 'an empty backlog' });
  expect(signal).toBe('SIGKILL');
  expect(run.output).toEqual(new Date('2026-01-01'));
  expect(await db.query('select 1 from perdure.runs where id like $1', [`schedule/${name}/%`])).toHaveLength(1);
});

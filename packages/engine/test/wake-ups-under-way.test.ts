// Wake-ups of runs that come to wait while the statement that wakes them is already under way: it sees runs as they were when it
// began. Polling is so slow here that it cannot help.

import { expect, test } from '@jest/globals';
import { waitFor, waitForBlockedBackend } from '@perdure/testing';
import { event, getEvent, receive, setEvent, topic, workflow } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const slowPolls = { pollInterval: '5m', lease: '10s', parkAfter: '50ms' } as const;
const approval = topic<string>('approval');
const progress = event<number>('progress');

const approved = workflow('approved', async () => receive(approval));
const reporting = workflow('reporting', async () => {
  await setEvent(progress, 7);
  await receive(approval);
});
const following = workflow('following', async (id: string) => getEvent(id, progress));

const parked = (id: string): Promise<unknown> =>
  waitFor(() => db.query("select from perdure.runs where id = $1 and status = 'waiting'", [id]), {
    what: 'the run to be parked',
    until: (rows) => rows.length === 1,
  });

test('a message arrives at a run that was claimed and parked while the message was being sent', async () => {
  const sender = await db.launchEngine(slowPolls);
  const run = await sender.startWorkflow(approved, undefined, { id: 'parks-meanwhile' });
  const rival = await db.connect();
  await rival.query('begin');
  await rival.query(
    `insert into perdure.messages (run_id, topic, body, dedup_key) values ('parks-meanwhile', 'approval', '"no"', 'one')`,
  );

  const sending = sender.send(run.id, approval, 'yes', { dedupKey: 'one' });
  await waitForBlockedBackend(await db.connect(), { statement: 'insert into "perdure".messages' });
  await db.launchEngine({ ...slowPolls, workflows: [approved] });
  await parked(run.id);
  await rival.query('rollback');
  await sending;

  expect(await run.result()).toBe('yes');
});

test('an event arrives at a run that was started and parked while the event was being set', async () => {
  const blocker = await db.connect();
  await blocker.query('begin');
  await blocker.query(
    `insert into perdure.steps (run_id, seq, name, occurrence, kind, epoch, started_at, finished_at)
     values ('reports', 1, 'progress', 1, 'event', 1, now(), now())`,
  );
  const publisher = await db.launchEngine({ ...slowPolls, workflows: [reporting] });
  await publisher.startWorkflow(reporting, undefined, { id: 'reports' });
  await waitForBlockedBackend(await db.connect(), { statement: 'owner as materialized' });

  const follower = await db.launchEngine({ ...slowPolls, workflows: [following] });
  const run = await follower.startWorkflow(following, 'reports');
  await parked(run.id);
  await blocker.query('rollback');

  expect(await run.result()).toBe(7);
});

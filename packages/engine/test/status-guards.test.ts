// The table of transitions and the guards in SQL: each statement moves a run out of exactly the states that the table names.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { commitBatch } from '../src/store/batch.js';
import { Database } from '../src/store/database.js';
import { insertExecutor, recoverRuns, removeExecutor } from '../src/store/executors.js';
import type { Standing } from '../src/store/queue-admission.js';
import { claimRuns } from '../src/store/queues.js';
import { parkRuns, resumeRuns } from '../src/store/runs.js';
import { cancelRuns } from '../src/store/steer-runs.js';
import { newExecutorId, newRunId, type ExecutorId, type RunId } from '../src/values/ids.js';
import { isFinal, mayMove, runStatuses, transitions, type RunStatus, type Transition } from '../src/values/status.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const opened: { database?: Database } = {};

beforeAll(async () => {
  const options = {
    schema: 'perdure',
    poolSize: 2,
    connectTimeoutMs: 10_000,
    silenceMs: 30_000,
    vitalSilenceMs: 6_000,
  };
  opened.database = await Database.open({ connection: db.url, ...options });
});
afterAll(async () => {
  await opened.database?.close();
});

function database(): Database {
  if (opened.database === undefined) throw new Error('the database is not open');
  return opened.database;
}

interface Target {
  readonly id: RunId;
  readonly executor: ExecutorId;
  readonly epoch: number;
}

async function end({ id, executor, epoch }: Target, status: RunStatus): Promise<void> {
  const outcome = { runId: id, epoch, status, output: undefined, error: undefined };
  await commitBatch(database(), executor, { starts: [], checkpoints: [], outcomes: [outcome], publications: {} });
}

const nobodyInLine: Standing = { serves: undefined, live: new Map(), cursors: new Map(), share: 0 };

const statements: Readonly<Record<Transition, (target: Target) => Promise<unknown>>> = {
  claim: ({ executor }) =>
    claimRuns(database(), {
      executor,
      hosted: [{ workflow: 'guarded', version: '' }],
      limit: 10,
      standing: nobodyInLine,
      withSuspect: true,
    }),
  park: ({ id, executor, epoch }) => parkRuns(database(), executor, [{ id, epoch, dueAtMs: undefined }]),
  release: ({ executor }) => removeExecutor(database(), executor),
  recover: async ({ executor }) => {
    await db.query(`update perdure.executors set dead_at = now() where id = $1`, [executor]);
    await recoverRuns(database(), { limit: 10, maxRecoveries: 5, crashLimitError: '{}' });
  },
  succeed: (target) => end(target, 'succeeded'),
  fail: (target) => end(target, 'failed'),
  pause: (target) => end(target, 'paused'),
  cancel: ({ id }) => cancelRuns(database(), { ids: [id], error: '{}', children: false }),
  resume: ({ id }) => resumeRuns(database(), [id], false),
};

/** A run in this state that belongs to a live executor, or did. */
async function makeRun(status: RunStatus): Promise<Target> {
  const [id, executor] = [newRunId(), newExecutorId()];
  await insertExecutor(database(), {
    id: executor,
    host: 'here',
    pid: 1,
    leaseMs: 60_000,
    workflows: [],
    queues: undefined,
  });
  await db.query(
    `insert into perdure.runs (id, workflow, status, executor, epoch, due_at, input, started_at, finished_at)
     values ($1, 'guarded', $2, $3, 3, now(), 'null', now(), case when $4::boolean then now() end)`,
    [id, status, executor, isFinal(status)],
  );
  return { id, executor, epoch: 3 };
}

async function rowOf({ id }: Target): Promise<{ readonly status: RunStatus; readonly text: string } | undefined> {
  const sql = `select status, r::text as text from perdure.runs r where id = $1`;
  return (await db.query<{ status: RunStatus; text: string }>(sql, [id]))[0];
}

// Today only the owner pauses a run, when its history does not fit.
const expected = (status: RunStatus, name: Transition): boolean =>
  mayMove(status, name) && (name !== 'pause' || status === 'running');

describe.each(Object.keys(transitions) as Transition[])('the transition %s', (name) => {
  test.each(runStatuses)('moves a run that is %s only if the table says so', async (status) => {
    const target = await makeRun(status);
    const before = await rowOf(target);

    await statements[name](target);

    const after = await rowOf(target);
    const moved = after?.text === before?.text ? undefined : after?.status;
    expect(moved).toBe(expected(status, name) ? transitions[name].to : undefined);
  });
});

describe.each(['park', 'succeed', 'fail', 'pause'] as const)('the transition %s', (name) => {
  test.each(['epoch', 'executor'] as const)('moves no run whose %s is another', async (part) => {
    const target = await makeRun('running');
    const others = { epoch: target.epoch - 1, executor: (await makeRun('queued')).executor };
    const before = await rowOf(target);

    await statements[name]({ ...target, [part]: others[part] });

    expect((await rowOf(target))?.text).toBe(before?.text);
  });

  test('of a dead executor moves no run', async () => {
    const target = await makeRun('running');
    await db.query(`update perdure.executors set dead_at = now() where id = $1`, [target.executor]);
    const before = await rowOf(target);

    await statements[name](target);

    expect((await rowOf(target))?.text).toBe(before?.text);
  });
});

test('a dead executor claims nothing', async () => {
  const target = await makeRun('queued');
  await db.query(`update perdure.executors set dead_at = now() where id = $1`, [target.executor]);

  await statements.claim(target);

  expect((await rowOf(target))?.status).toBe('queued');
});

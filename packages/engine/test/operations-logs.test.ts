// What the engine says about itself: what a person must know, once, and nothing that is not so.

import { expect, test } from '@jest/globals';
import { waitFor, waitForBlockedBackend } from '@perdure/testing';
import { currentStep, runStep, silentLogger, workflow, type LogFields, type Logger } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

interface Complaint {
  readonly message: string;
  readonly fields: LogFields;
}

/** A logger that keeps what is more than information. */
function keepComplaints(): { readonly logger: Logger; readonly complaints: Complaint[] } {
  const complaints: Complaint[] = [];
  const keep = (fields: LogFields, message: string): void => void complaints.push({ message, fields });
  return { logger: { ...silentLogger, warn: keep, error: keep }, complaints };
}

test('a run that fails is logged with its error, also if nobody waits for its result', async () => {
  const { logger, complaints } = keepComplaints();
  const doomed = workflow('doomed', async () => {
    await runStep('fine', () => undefined);
    throw new RangeError('too far');
  });
  const engine = await db.launchEngine({ workflows: [doomed], logger });

  const run = await engine.startWorkflow(doomed);
  await waitFor(() => complaints.length > 0, { what: 'a complaint' });

  const fields = { runId: run.id, workflow: 'doomed', err: expect.any(RangeError) };
  expect(complaints).toEqual([{ message: 'a run has failed', fields }]);
});

test('a failed attempt that is followed by another one is told, with its error and the wait', async () => {
  const told: Complaint[] = [];
  const logger = { ...silentLogger, info: (fields: LogFields, message: string) => void told.push({ message, fields }) };
  const flaky = workflow('flaky', () =>
    runStep(
      'call',
      () => {
        if (currentStep().attempt === 1) throw new RangeError('busy');
      },
      { retry: { maxAttempts: 3, delay: 1 } },
    ),
  );
  const engine = await db.launchEngine({ workflows: [flaky], logger });

  const run = await engine.startWorkflow(flaky);
  await run.result();

  const fields = { runId: run.id, step: 'call', attempt: 1, maxAttempts: 3, err: expect.any(RangeError) };
  expect(told).toContainEqual({
    message: 'an attempt of a step has failed; it is tried again',
    fields: expect.objectContaining(fields),
  });
});

test('an engine that closes while it gives a sign of life does not say that it was declared dead [170]', async () => {
  const { logger, complaints } = keepComplaints();
  const engine = await db.launchEngine({ logger, lease: '6s' });
  const [holder, observer] = [await db.connect(), await db.connect()];
  await holder.query('begin');
  await holder.query('select from perdure.executors for no key update');

  const closed = engine.close();
  await waitForBlockedBackend(observer, { statement: 'dead_at = coalesce' });
  await waitForBlockedBackend(observer, { count: 2 }); // the next sign of life, behind it
  await holder.query('rollback');
  await closed;

  expect(complaints).toEqual([]);
});

test('an executor that cannot give a sign of life says so once', async () => {
  const { logger, complaints } = keepComplaints();
  await db.launchEngine({ logger, lease: '500ms' });
  const [holder, observer] = [await db.connect(), await db.connect()];
  await holder.query('begin');
  await holder.query('select from perdure.executors for no key update');
  const delayed = (): number => complaints.filter(({ message }) => message.includes('heartbeat waiting')).length;

  await waitFor(() => delayed() > 0, { what: 'a complaint' });
  await waitForBlockedBackend(observer, { count: 3 }); // attempts that were given up still wait for the lock
  await holder.query('rollback');
  await waitFor(() => db.query(`select from perdure.executors where heartbeat_at > now() - interval '1 s'`), {
    what: 'a sign of life',
    until: ({ length }) => length > 0,
  });

  expect(delayed()).toBe(1);
});

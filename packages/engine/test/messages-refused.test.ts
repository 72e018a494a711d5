// A database that refuses what runs need in passing.

import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { currentRun, send, topic, workflow } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const note = topic<string>('note');

test('a run whose message the database refuses is released to try again, and the process goes on', async () => {
  const unhandled: unknown[] = [];
  const keep = (error: unknown): void => void unhandled.push(error);
  const errors: string[] = [];
  const ignore = (): void => undefined;
  const logger = {
    debug: ignore,
    info: ignore,
    warn: ignore,
    error: (_: object, message: string) => errors.push(message),
  };
  const sending = workflow('sending', () => send(currentRun().id, note, 'hello'));
  const engine = await db.launchEngine({ workflows: [sending], logger });
  await db.query(`alter table perdure.messages add constraint refused check (topic <> 'note')`);

  process.on('unhandledRejection', keep);
  const run = await engine.startWorkflow(sending);
  await waitFor(() => run.status(), { what: 'the run to be released', until: (status) => status === 'waiting' });
  process.off('unhandledRejection', keep);
  await db.query('alter table perdure.messages drop constraint refused');

  expect(unhandled).toEqual([]);
  expect(errors).toContainEqual(expect.stringContaining('a message cannot be sent'));
});

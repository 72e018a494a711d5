// Waiting for the result of a run that is paused.

import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { receive, topic, workflow } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const go = topic<string>('go');
const waiting = workflow('waiting', async () => receive(go));

test('the log tells once that the result of a paused run is waited for, and the wait goes on', async () => {
  const told: object[] = [];
  const ignore = (): void => undefined;
  const warn = (fields: object, message: string): void => {
    if (message.includes('paused run')) told.push(fields);
  };
  const engine = await db.launchEngine({
    workflows: [waiting],
    pollInterval: '20ms',
    logger: { debug: ignore, info: ignore, warn, error: ignore },
  });
  const run = await engine.startWorkflow(waiting);
  await engine.runs.pause(run.id);

  const result = run.result();
  await waitFor(() => told.length, { what: 'a word in the log', until: (count) => count > 0 });
  await engine.runs.resume(run.id);
  await engine.send(run.id, go, 'on');

  expect(await result).toBe('on');
  expect(told).toEqual([{ runId: run.id }]);
});

// A process that is told to end drains before whatever else listens to the signal ends it.

import { expect, test } from '@jest/globals';
import { spawnProcess, type SpawnedProcess } from '@perdure/testing';
import { fileURLToPath } from 'node:url';
import { useApplications } from './support/applications.js';

const applications = useApplications();
const program = fileURLToPath(new URL('programs/server.ts', import.meta.url));

test('SIGTERM in a step, with a stream of events open: the step is recorded, then the server ends as it always does', async () => {
  const child = start({ RUN_ID: 'recorded', STEP_MS: '700', OTHER_LISTENER: 'yes' });
  const { port } = await child.message('listening');
  await child.message('working');
  const events = await fetch(`http://127.0.0.1:${String(port)}/perdure/runs/recorded/events`);

  child.kill('SIGTERM');

  expect(await child.exited).toEqual({ code: 143, signal: null });
  expect(await events.text()).toContain('"status":"running"');
  expect(await stepsOf('recorded')).toContain('long step');
});

test('a stream that is asked for during the drain, by the first request of all, does not hold the server up', async () => {
  const child = start({ RUN_ID: 'asked late', STEP_MS: '1500', OTHER_LISTENER: 'yes' });
  const { port } = await child.message('listening');
  await child.message('working');
  child.kill('SIGTERM');
  await child.message('told to end');

  const events = await fetch(`http://127.0.0.1:${String(port)}/perdure/runs/asked%20late/events`);

  expect(await events.text()).toBe('retry: 1000\n\n');
  expect(await child.exited).toEqual({ code: 143, signal: null });
});

test('a second signal does not wait for the drain', async () => {
  const child = start({ RUN_ID: 'cut off', STEP_MS: '60000', OTHER_LISTENER: 'yes' });
  await child.message('working');
  child.kill('SIGTERM');
  await child.message('told to end');

  child.kill('SIGTERM');

  expect(await child.exited).toEqual({ code: 143, signal: null });
  expect(await stepsOf('cut off')).not.toContain('long step');
});

test('where nothing else listens, the signal ends the process after the drain', async () => {
  const child = start({ RUN_ID: 'alone', STEP_MS: '300', OTHER_LISTENER: 'no' });
  await child.message('working');

  child.kill('SIGTERM');

  expect(await child.exited).toEqual({ code: null, signal: 'SIGTERM' });
  expect(await stepsOf('alone')).toContain('long step');
});

function start(env: Readonly<Record<string, string>>): SpawnedProcess {
  return spawnProcess(program, { env: { DATABASE_URL: applications.url, ...env } });
}

async function stepsOf(id: string): Promise<readonly string[]> {
  const perdure = await applications.boot();
  const steps = await (await perdure.engine()).runs.steps(id);
  return steps.map(({ name }) => name);
}

// The end of a process that serves requests: whoever is being served gets an answer.

import { fileURLToPath } from 'node:url';
import { afterEach, expect, jest, test } from '@jest/globals';
import { spawnProcess, waitFor, type SpawnedProcess } from '@perdure/testing';
import express from 'express';
import { receive, topic, workflow } from 'perdure';
import { perdure, shutDown } from '../src/index.js';
import { useApplications } from './support/application.js';

jest.setTimeout(60_000);

const db = useApplications();
const children: SpawnedProcess[] = [];
const waiting = workflow('waiting', async () => receive(topic<string>('word')));

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(children.splice(0).map((child) => child.exited));
});

test('a request that is being served when SIGTERM comes gets its answer, and the process ends with 0', async () => {
  const { url, child } = await startShop();
  const answer = fetch(`${url}/slow`);
  await child.message('serving');

  child.kill('SIGTERM');

  expect(await (await answer).json()).toBe('answered');
  expect(await child.exited).toEqual({ code: 0, signal: null });
});

test('a second signal ends the process at once', async () => {
  const { url, child } = await startShop();
  const answer = fetch(`${url}/hanging`).catch(() => 'cut');
  await child.message('serving');

  child.kill('SIGTERM');
  await waitFor(() => fetch(url).then(undefined, () => true), { what: 'the server to take nothing new' });
  child.kill('SIGTERM');

  expect(await child.exited).toEqual({ code: 1, signal: null });
  expect(await answer).toBe('cut');
});

test('streams of events end first, and do not keep the server open', async () => {
  const engine = await db.launchEngine({ workflows: [waiting] });
  const durable = perdure(engine, { expose: [waiting] });
  const app = express().use(durable);
  const server = app.listen(0, '127.0.0.1');
  await waitFor(() => server.listening, { what: 'the server' });
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const run = await engine.startWorkflow(waiting);
  const stream = await fetch(`${url}/perdure/runs/${run.id}/events`);
  const closed: string[] = [];

  await shutDown(server, durable, { timeout: '20s', close: () => closed.push('pool') });

  expect(await stream.text()).toContain('event: status');
  expect(closed).toEqual(['pool']);
  expect(() => engine.runs).toThrow('ENGINE_CLOSED');
});

test('a shutdown may be asked for twice', async () => {
  const durable = perdure(await db.launchEngine());
  const server = express().use(durable).listen(0, '127.0.0.1');

  await Promise.all([shutDown(server, durable), shutDown(server, durable)]);

  expect(server.listening).toBe(false);
});

async function startShop(): Promise<{ url: string; child: SpawnedProcess }> {
  const program = fileURLToPath(new URL('programs/shop.ts', import.meta.url));
  const child = spawnProcess(program, { env: { DATABASE_URL: db.url } });
  children.push(child);
  const { port } = await child.message('listening', { timeoutMs: 20_000 });
  return { url: `http://127.0.0.1:${String(port)}`, child };
}

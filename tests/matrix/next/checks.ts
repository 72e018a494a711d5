// What must hold in every build. Each check gets an application, most of them a running one, and throws when something does not.

import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { createPerdureClient, type RunState, type RunStore } from '@perdure/next/client';
import { runJest } from '../tool.js';
import type { Application, Running } from './application.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Where the two routers serve the protocol. */
export const mounts = ['/api/perdure', '/api/pages'] as const;

/** The conformance suite of HTTP, through both routers, on servers of its own. Resolves to what to say of it. */
export async function checkConformance(
  { folder }: Application,
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const names = { MATRIX_APPLICATION: folder, MATRIX_COMMAND: command.join(' ') };
  return `HTTP: ${await runJest(root, ['--selectProjects', 'matrix'], { ...env, ...names })} tests`;
}

/** Starting, looking, idempotency, messages, streams, refusals and ticks, through one router. */
export async function checkProtocol({ url }: Running, mount: string): Promise<void> {
  const base = url + mount;
  const waited = await post(`${base}/start/greet`, 'Ada', { prefer: 'wait=10' });
  assert.deepEqual([waited.status, waited.body.output, waited.body.workflow], [200, 'Hello ADA', 'greet']);

  const key = { 'idempotency-key': `"${mount}-1"`, prefer: 'wait=10' };
  const [first, again] = [await post(`${base}/start/greet`, 'Bo', key), await post(`${base}/start/greet`, 'Bo', key)];
  assert.equal(again.body.id, first.body.id);
  assert.equal((await post(`${base}/start/greet`, 'Cy', key)).status, 422);

  assert.equal((await post(`${base}/start/nothing`, 1)).status, 404);
  assert.equal((await fetch(`${base}/runs/nobody`)).status, 404);
  assert.equal((await post(`${base}/start/greet`, 'x', { 'sec-fetch-site': 'cross-site' })).status, 403);
  assert.equal((await fetch(`${base}/start/greet`, { method: 'POST', body: '{', headers: json })).status, 400);
  assert.equal((await post(`${base}/start/greet`, 'x'.repeat(1_100_000))).status, 413);

  const client = createPerdureClient({ basePath: base });
  const { id } = await client.start('approved', null);
  const run = client.watch(id);
  const leave = run.subscribe(() => undefined);
  await until(run, ({ streams }) => streams['lines']?.length === 1);
  await client.send(id, 'approval', { approved: true });
  const state = await until(run, ({ isFinal }) => isFinal);
  leave();
  assert.deepEqual(state.streams['lines'], ['first', 'second']);
  assert.deepEqual(state.result, { answer: { approved: true }, workflow: 'approved' }); // names outlive the minifier
  assert.equal((await fetch(`${base}/runs/${id}/events`, { headers: { 'last-event-id': 'nonsense' } })).status, 400);
}

/** A tick needs its secret. */
export async function checkTick({ url }: Running, secret: string): Promise<void> {
  const tick = `${url}/api/perdure/tick`;
  assert.equal((await fetch(tick)).status, 401);
  assert.equal((await fetch(tick, { headers: { authorization: `Bearer ${secret}` } })).status, 200);
}

/** A form without JavaScript: the action starts a run, redirects to its page, and starts another after the answer. */
export async function checkServerAction({ url }: Running): Promise<void> {
  const html = await (await fetch(url)).text();
  const form = new FormData();
  for (const [, name = '', value = ''] of html.matchAll(/<input type="hidden" name="([^"]*)"(?: value="([^"]*)")?/g))
    form.append(name, value);
  form.append('name', 'Ada');
  const answer = await fetch(url, { method: 'POST', body: form, redirect: 'manual', headers: { origin: url } });
  assert.equal(answer.status, 303);
  const id = answer.headers.get('location')?.split('/').at(-1) ?? '';
  const page = await fetch(`${url}/runs/${id}`);
  assert.match((await page.text()).replaceAll('<!-- -->', ''), /connecting/);
  const client = createPerdureClient({ basePath: `${url}/api/perdure` });
  for (const each of [id, `after-${id}`]) {
    const run = client.watch(each);
    const leave = run.subscribe(() => undefined);
    await until(run, ({ isFinal, connection }) => isFinal || connection === 'refused');
    assert.equal(run.getState().status, 'succeeded', `run ${each}`);
    leave();
  }
}

/** SIGTERM in the middle of a step of 1.5 s, with a stream of events open. Resolves to the milliseconds until the exit, and the run. */
export async function checkShutdown(running: Running): Promise<{ readonly ms: number; readonly id: string }> {
  const client = createPerdureClient({ basePath: `${running.url}/api/perdure` });
  const { id } = await client.start('slow', null);
  const run = client.watch(id);
  const leave = run.subscribe(() => undefined);
  await until(run, ({ events }) => events['progress'] === 1);
  const ms = await running.end('SIGTERM');
  leave();
  assert.ok(ms < 2_000, `it took ${ms} ms to end`);
  return { ms, id };
}

/** Waits until a run is as it should be. */
export async function until(run: RunStore, isSo: (state: RunState) => boolean, timeoutMs = 30_000): Promise<RunState> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const state = run.getState();
      if (!isSo(state)) return;
      clearTimeout(timer);
      leave();
      resolve(state);
    };
    const timer = setTimeout(() => {
      leave();
      reject(new Error(`still waiting; the run is ${JSON.stringify(run.getState())}`));
    }, timeoutMs);
    const leave = run.subscribe(look);
    look();
  });
}

const json = { 'content-type': 'application/json' };

/** Sends JSON, and reads JSON. */
export async function post(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> }> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body), headers: { ...json, ...headers } });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

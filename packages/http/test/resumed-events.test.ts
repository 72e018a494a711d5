// A client that connects again where nothing has happened since.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestDatabase, waitFor, type TestDatabase } from '@perdure/testing';
import { createEngine, receive, silentLogger, topic, workflow, type Engine } from 'perdure';
import { createHttpHandler, type HttpHandler } from '../src/index.js';

const waiting = workflow('waiting', () => receive(topic<null>('go')));

let database: TestDatabase;
let engine: Engine;

beforeAll(async () => {
  database = await createTestDatabase({ prefix: 'perdure_http' });
  const options = { database: database.url, workflows: [waiting], logger: silentLogger, parkAfter: '10ms' } as const;
  engine = await createEngine(options).launch();
});
afterAll(async () => {
  await engine.close();
  await database.drop();
});

/** A request for what comes behind all that a waiting run has told. */
async function againBehindEverything(handler: HttpHandler, signal?: AbortSignal): Promise<Request> {
  const { id } = await engine.startWorkflow(waiting);
  const isWaiting = async (): Promise<boolean> => (await engine.runs.get(id))?.status === 'waiting';
  await waitFor(isWaiting, { what: 'the run to wait' });
  const url = `http://localhost/runs/${id}/events`;
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = (
    await handler(new Request(url))
  ).body?.getReader();
  let text = '';
  while (!text.includes('\nevent')) text += Buffer.from((await reader?.read())?.value ?? []).toString();
  const [, position = ''] = /^id: (.*)$/m.exec(text) ?? [];
  await reader?.cancel();
  return new Request(url, { headers: { 'last-event-id': position }, ...(signal === undefined ? {} : { signal }) });
}

test('it is answered at once, with comments that keep proxies from closing', async () => {
  const handler = createHttpHandler(engine, { expose: [waiting], keepAlive: '20ms' });

  const response = await handler(await againBehindEverything(handler));

  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = response.body?.getReader();
  const { value } = (await reader?.read()) ?? {};
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  expect(Buffer.from(value ?? []).toString()).toMatch(/^(retry: 1000\n|:\n)/);
  await reader?.cancel();
});

test('its stream ends when the handler is closed', async () => {
  const handler = createHttpHandler(engine, { expose: [waiting] });
  const response = handler(await againBehindEverything(handler));

  await handler.close();

  expect(await (await response).text()).not.toContain('id:');
});

test('its stream ends when it goes away', async () => {
  const handler = createHttpHandler(engine, { expose: [waiting] });
  const gone = new AbortController();
  const response = handler(await againBehindEverything(handler, gone.signal));

  gone.abort();

  expect(await (await response).text()).not.toContain('id:');
});

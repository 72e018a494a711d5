// What the handler does that needs no server: schemas of several libraries, options of starts, closing.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestDatabase, waitFor, type TestDatabase } from '@perdure/testing';
import { type } from 'arktype';
import {
  createEngine,
  receive,
  runStep,
  silentLogger,
  stream,
  topic,
  workflow,
  writeStream,
  type Engine,
} from 'perdure';
import * as v from 'valibot';
import { z } from 'zod';
import { createHttpHandler, expose, startFromRequest } from '../src/index.js';

const go = topic<null>('go');
const numbers = stream<number>('numbers');
const counting = workflow('counting', async (count: number) => {
  await runStep('count', () => Promise.all(Array.from({ length: count }, (_, index) => writeStream(numbers, index))));
});
const waiting = workflow('waiting', () => receive(go));
const double = workflow('double', async ({ n }: { n: number }) => n * 2);

let database: TestDatabase;
let engine: Engine;

beforeAll(async () => {
  database = await createTestDatabase({ prefix: 'perdure_http' });
  engine = await createEngine({
    database: database.url,
    workflows: [waiting, double, counting],
    logger: silentLogger,
  }).launch();
});
afterAll(async () => {
  await engine.close();
  await database.drop();
});

function post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Request {
  const init = {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  };
  return new Request(`http://localhost${path}`, init);
}

test('the rest of a body that is too large is read, because cancelling it may end the connection', async () => {
  const handler = createHttpHandler(engine, { expose: [double], bodyLimit: 1_000 });
  const size = 100_000;
  let [sent, isCancelled] = [0, false];
  const body = new ReadableStream({
    pull: (controller) => {
      if (sent === size) return controller.close();
      sent += 500;
      controller.enqueue(new Uint8Array(500));
    },
    cancel: () => {
      isCancelled = true;
    },
  });
  const init = { method: 'POST', body, duplex: 'half', headers: { 'content-type': 'application/json' } } as const;

  const { status } = await handler(new Request('http://localhost/start/double', init));

  expect(status).toBe(413);
  await waitFor(() => sent, { what: 'the body to be read to its end', until: (bytes) => bytes === size });
  expect(isCancelled).toBe(false);
});

test.each([
  ['zod', z.object({ n: z.coerce.number() })],
  ['valibot', v.object({ n: v.pipe(v.union([v.string(), v.number()]), v.transform(Number), v.number()) })],
  ['arktype', type({ n: 'string.numeric.parse | number' })],
] as const)('a schema of %s checks the body and makes the input of it', async (_name, input) => {
  const handler = createHttpHandler(engine, { expose: [expose({ workflow: double, input })] });

  const right = await handler(post('/start/double', { n: '21' }, { prefer: 'wait=20' }));
  const wrong = await handler(post('/start/double', { n: {} }));

  expect(await right.json()).toMatchObject({ status: 'succeeded', output: 42 });
  expect([wrong.status, await wrong.json()]).toMatchObject([422, { errors: [{ pointer: '#/n' }] }]);
});

test('options of a start come from its input', async () => {
  const options = ({ n }: { n: number }): { id: string } => ({ id: `double-${n}` });
  const handler = createHttpHandler(engine, { expose: [expose({ workflow: double, options })] });

  const answers = [await handler(post('/start/double', { n: 4 })), await handler(post('/start/double', { n: 4 }))];

  const ids = await Promise.all(answers.map((answer) => answer.json()));
  expect(ids).toMatchObject([{ id: 'double-4' }, { id: 'double-4' }]);
  expect(answers.map(({ headers }) => headers.get('location'))).toEqual(['/runs/double-4', '/runs/double-4']);
});

test('an adapter may have read and parsed the body, and mounted the protocol anywhere', async () => {
  const handler = createHttpHandler(engine, { expose: [double] });
  const request = new Request('http://localhost/here/start/double', { method: 'POST', headers: { prefer: 'wait=20' } });

  const response = await handler(request, { basePath: '/here', parsedBody: { value: { n: 3 } } });

  expect(response.headers.get('location')).toMatch(/^\/here\/runs\//);
  expect(await response.json()).toMatchObject({ output: 6 });
});

test('a route of the application starts runs as the protocol does', async () => {
  const start = (n: number): Promise<Response> =>
    startFromRequest(engine, {
      workflow: double,
      input: { n },
      request: post('/double', {}, { 'idempotency-key': 'k' }),
    });
  const first = await start(1);

  const again = await start(1);

  expect([first.status, again.status]).toEqual([202, 202]);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  await expect(start(2)).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
});

test('a handler that is closed ends its streams, and sends whoever comes elsewhere without an error', async () => {
  const handler = createHttpHandler(engine, { expose: [waiting] });
  const run = await engine.startWorkflow(waiting);
  const events = new Request(`http://localhost/runs/${run.id}/events`);
  const open = (await handler(events)).text();

  await handler.close();

  const later = await handler(events);
  expect(await open).toContain('event: status');
  expect([later.status, await later.text()]).toEqual([200, 'retry: 1000\n\n']);
  expect((await handler(new Request(`http://localhost/runs/${run.id}`))).status).toBe(200);
});

test('a client that may wait longer than a timer can be set for is not answered at once', async () => {
  const handler = createHttpHandler(engine, {
    expose: [expose({ workflow: waiting, options: () => ({ id: 'long' }) })],
    maxWait: '30 days',
  });
  const answered = handler(post('/start/waiting', null, { prefer: 'wait=2592000' }));
  await waitFor(async () => (await engine.runs.get('long'))?.status, {
    what: 'the run',
    until: (status) => status !== undefined,
  });

  for (let asked = 0; asked < 20; asked++) await engine.runs.get('long'); // a timer that has overflowed fires meanwhile
  await engine.send('long', go, null);

  expect((await answered).status).toBe(200);
});

test('a reader that goes away takes its stream along', async () => {
  const handler = createHttpHandler(engine, { expose: [waiting], keepAlive: '5ms' });
  const run = await engine.startWorkflow(waiting);
  const gone = new AbortController();
  const [cancelled, aborted] = [
    await handler(new Request(`http://localhost/runs/${run.id}/events`)),
    await handler(new Request(`http://localhost/runs/${run.id}/events`, { signal: gone.signal })),
  ];
  const rest = aborted.text();

  await cancelled.body?.cancel();
  gone.abort();

  expect(await rest).toContain('id: ');
  await waitFor(() => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length, {
    what: 'the timers of comments to be gone',
    until: (count) => count < 50,
  });
});

test('thousands of chunks come in order, many at once', async () => {
  const handler = createHttpHandler(engine, { expose: [{ workflow: counting, streams: [numbers] }] });
  const run = await engine.startWorkflow(counting, 3_000);
  await run.result();

  const response = await handler(new Request(`http://localhost/runs/${run.id}/events`));
  const parts: Uint8Array[] = [];
  const body: AsyncIterable<Uint8Array> | null = response.body;
  for await (const part of body ?? []) parts.push(part);

  const values = [
    ...Buffer.concat(parts)
      .toString()
      .matchAll(/"index":(\d+)/g),
  ].map(([, index]) => Number(index));
  expect(values).toEqual(Array.from({ length: 3_000 }, (_, index) => index));
  expect(parts.length).toBeLessThan(300);
});

test('a refused HEAD has no body either', async () => {
  const handler = createHttpHandler(engine, { expose: [waiting] });

  const response = await handler(new Request('http://localhost/runs/nobody', { method: 'HEAD' }));

  expect([response.status, await response.text()]).toEqual([404, '']);
});

test('nobody is waited for on behalf of a client that has gone', async () => {
  const handler = createHttpHandler(engine, { expose: [waiting] });
  const { id } = await engine.startWorkflow(waiting);
  const init = { headers: { prefer: 'wait=30' }, signal: AbortSignal.abort() };

  const began = performance.now();
  await handler(new Request(`http://localhost/runs/${id}`, init));

  expect(performance.now() - began).toBeLessThan(10_000);
});

// The client against the routes of the Pages Router, over a real connection.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { event, receive, runStep, setEvent, stream, topic, workflow, writeStream } from 'perdure';
import { createPerdureClient, PerdureRequestError, type RunState, type RunStore } from '../src/client.js';
import { perdureApiRoute, type Perdure } from '../src/index.js';
import { stop, useApplications } from './support/applications.js';

const applications = useApplications();

const progress = event<{ done: number }>('progress');
const words = stream<string>('words');
const approval = topic<{ approved: boolean }>('approval');
const publish = workflow('publish', async (text: string) => {
  await setEvent(progress, { done: 1 });
  for (const word of text.split(' ')) await writeStream(words, word);
  const answer = await receive(approval, { timeout: '1 minute' });
  await writeStream(words, 'end');
  return { approved: answer?.approved ?? false, at: new Date(0) };
});
const failing = workflow('failing', async () => runStep('fail', () => Promise.reject(new RangeError('too far'))));

interface Publishing {
  readonly workflow: typeof publish;
  readonly events: { readonly progress: typeof progress };
  readonly streams: { readonly words: typeof words };
}

const exposed = [
  { workflow: publish, topics: [approval], events: [progress], streams: [words], cancel: true },
  { workflow: failing },
];

test('a run is started, watched, told, and seen to its result', async () => {
  const { client } = await serve();
  const { id } = await client.start<typeof publish>('publish', 'to be or not');
  const run = client.watch<Publishing>(id);
  const leave = run.subscribe(() => undefined);
  await waitFor(() => run.getState().streams.words?.length === 4, { what: 'four words' });

  await client.send(id, 'approval', { approved: true });

  const state = await ended(run);
  leave();
  expect(state.events.progress).toEqual({ done: 1 });
  expect(state.streams.words).toEqual(['to', 'be', 'or', 'not', 'end']);
  expect(state.result).toEqual({ approved: true, at: '1970-01-01T00:00:00.000Z' });
});

test('behind a cut connection and a restarted server nothing is lost and nothing is told twice', async () => {
  const { client, perdure, server, port } = await serve();
  const { id } = await client.start<typeof publish>('publish', 'a b c');
  const run = client.watch<Publishing>(id);
  run.subscribe(() => undefined);
  await waitFor(() => run.getState().streams.words?.length === 3, { what: 'three words' });

  await stop(server);
  await waitFor(() => run.getState().connection === 'reconnecting', { what: 'the cut to be noticed' });
  await perdure.send(id, approval, { approved: true });
  await listen(routeOf(perdure), port);

  expect((await ended(run)).streams.words).toEqual(['a', 'b', 'c', 'end']);
});

test('a run that is over is told whole, and the client does not ask again', async () => {
  const { client, asked } = await serve();
  const { id } = await client.start<typeof failing>('failing', undefined);
  const run = client.watch(id);
  run.subscribe(() => undefined);

  const { status, failure, isFinal } = await ended(run);

  expect({ status, failure, isFinal }).toEqual({
    status: 'failed',
    isFinal: true,
    failure: { name: 'RangeError', code: undefined, message: undefined },
  });
  expect(asked.filter((url) => url.endsWith('/events'))).toHaveLength(1);
});

test('a run that is not there is a refusal, and the client does not ask again', async () => {
  const { client } = await serve();
  const run = client.watch('nobody');

  run.subscribe(() => undefined);

  const { refusal } = await waitFor(() => run.getState(), {
    what: 'a refusal',
    until: ({ connection }) => connection === 'refused',
  });
  expect(refusal).toMatchObject({ status: 404, code: 'RUN_NOT_FOUND' });
});

test('subscribers that leave and come back at once share one connection', async () => {
  const { client, asked } = await serve();
  const { id } = await client.start<typeof publish>('publish', 'x');
  const run = client.watch<Publishing>(id);
  run.subscribe(() => undefined)();

  const leave = run.subscribe(() => undefined);
  await waitFor(() => run.getState().connection === 'live', { what: 'the first word of the server' });
  leave();

  expect(asked.filter((url) => url.endsWith('/events'))).toHaveLength(1);
});

test('when the last subscriber has left, the connection ends', async () => {
  const { client, open } = await serve();
  const { id } = await client.start<typeof publish>('publish', 'x');
  const run = client.watch<Publishing>(id);
  const leave = run.subscribe(() => undefined);
  await waitFor(() => run.getState().connection === 'live', { what: 'the first word of the server' });

  leave();

  await waitFor(() => open.size === 0, { what: 'the stream to end' });
  expect((await client.start<typeof publish>('publish', 'y')).id).not.toBe(id);
});

test('refusals carry status, code and what is wrong with the input', async () => {
  const { client } = await serve();

  const refusal: unknown = await client.start('nothing of this name', {}).catch((error: unknown) => error);

  expect(refusal).toBeInstanceOf(PerdureRequestError);
  expect(refusal).toMatchObject({ status: 404, code: 'ROUTE_NOT_FOUND' });
});

test('where nothing of the protocol answers, the refusal names the address', async () => {
  const { port } = await listen((_request, response) => response.writeHead(404).end('This page could not be found.'));
  const client = createPerdureClient({ basePath: `http://127.0.0.1:${port}/api/perdur` });

  const refusal: unknown = await client.send('order-7', 'approval', {}).catch((error: unknown) => error);

  expect(refusal).toMatchObject({ status: 404, code: 'UNKNOWN' });
  expect(refusal).toHaveProperty('message', expect.stringMatching(/\/api\/perdur\/runs\/order-7.*basePath/));
});

test('the same idempotency key is the same run', async () => {
  const { client } = await serve();
  const key = { idempotencyKey: 'one press of the button' };

  const [first, second] = [await client.start('publish', 'x', key), await client.start('publish', 'x', key)];

  expect(second).toEqual(first);
});

test('a run is cancelled', async () => {
  const { client } = await serve();
  const { id } = await client.start('publish', 'x');
  const run = client.watch(id);
  run.subscribe(() => undefined);

  await client.cancel(id);

  expect((await ended(run)).status).toBe('cancelled');
});

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

interface Served {
  readonly client: ReturnType<typeof createPerdureClient>;
  readonly perdure: Perdure;
  readonly server: Server;
  readonly port: number;
  readonly asked: string[];
  readonly open: Set<ServerResponse>;
}

async function serve(): Promise<Served> {
  const perdure = await applications.boot({ workflows: [publish, failing] });
  const asked: string[] = [];
  const open = new Set<ServerResponse>();
  const route = routeOf(perdure);
  const { server, port } = await listen((request, response) => {
    asked.push(request.url ?? '');
    open.add(response);
    response.once('close', () => open.delete(response));
    route(request, response);
  });
  const client = createPerdureClient({ basePath: `http://127.0.0.1:${port}/api/perdure` });
  return { client, perdure, server, port, asked, open };
}

function routeOf(perdure: Perdure): Listener {
  const route = perdureApiRoute(perdure, { expose: exposed, authorize: () => true });
  return (request, response) => {
    const path = new URL(request.url ?? '/', 'http://shop.test').pathname.split('/').slice(3);
    void route(Object.assign(request, { query: { path } }), response);
  };
}

async function listen(listener: Listener, port = 0): Promise<{ server: Server; port: number }> {
  const server = createServer(listener);
  applications.adopt(server);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

function ended<Types extends object>(run: RunStore<Types>): Promise<RunState<Types>> {
  return waitFor(() => run.getState(), {
    what: 'the end of the run',
    until: ({ connection }) => connection === 'ended',
  });
}

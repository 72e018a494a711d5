// The protocol as a route handler of the App Router.

import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { event, runStep, setEvent, workflow } from 'perdure';
import { mountPath } from '../src/routes.js';
import { perdureRoutes, type Perdure, type RouteOptions } from '../src/index.js';
import { useApplications } from './support/applications.js';

const applications = useApplications();

const progress = event<number>('progress');
const count = workflow('count', async (to: number) => {
  await setEvent(progress, to);
  return to;
});

test('a catch-all route starts runs, and answers where it is mounted', async () => {
  const perdure = await applications.boot({ workflows: [count] });

  const response = await ask(perdure, { method: 'POST', path: ['start', 'count'], body: 3 });

  expect(response.status).toBe(200);
  expect(response.headers.get('location')).toMatch(/^\/api\/perdure\/runs\/[^/]+$/);
});

test('faults that need no secrets to be seen are told when the routes are made', () => {
  const perdure = applications.define();
  const make =
    (...given: readonly unknown[]) =>
    () =>
      perdureRoutes(...(given as [Perdure, RouteOptions]));
  const refusal = (details: object): unknown => expect.objectContaining({ details: expect.objectContaining(details) });

  expect(make(undefined, { expose: [] })).toThrow(refusal({ option: 'perdure' }));
  expect(make(perdure)).toThrow(refusal({ option: 'options' }));
  expect(make(perdure, { expose: [], after: true })).toThrow(refusal({ option: 'after' }));
  expect(make(perdure, { expose: [], afterBudget: 'soon' })).toThrow(refusal({ what: 'afterBudget' }));
});

test('an explicit base path wins over the place of the catch-all segment', async () => {
  const perdure = await applications.boot({ workflows: [count] });
  const { POST } = perdureRoutes(perdure, { expose: [count], basePath: '/elsewhere' });

  const response = await POST(
    new Request('http://shop.test/api/perdure/start/count', { method: 'POST', body: '3' }),
    params(['start', 'count']),
  );

  expect(response.status).toBe(404);
});

test.each([
  ['/api/perdure/runs/a%2Fb/events', ['runs', 'a/b', 'events'], '/api/perdure'],
  ['/shop/api/perdure/tick/', ['tick'], '/shop/api/perdure'],
  ['/tick', ['tick'], ''],
])('of %s, the catch-all segment begins behind its mount', (pathname, path, mount) => {
  expect(mountPath(pathname, { path })).toBe(mount);
});

test('redirect() in authorize is for Next', async () => {
  const perdure = await applications.boot({ workflows: [count] });
  const redirect = Object.assign(new Error('NEXT_REDIRECT'), { digest: 'NEXT_REDIRECT;push;/sign-in;307;' });
  const authorize = (): never => {
    throw redirect;
  };

  const asked = ask(perdure, { method: 'POST', path: ['start', 'count'], body: 3 }, { authorize });

  await expect(asked).rejects.toBe(redirect);
});

test('another error in authorize is a problem document that tells nothing of it', async () => {
  const perdure = await applications.boot({ workflows: [count] });
  const authorize = (): never => {
    throw new Error('the session store at 10.0.0.7 is down');
  };

  const response = await ask(perdure, { method: 'POST', path: ['start', 'count'], body: 3 }, { authorize });

  expect([response.status, await response.text()]).toEqual([500, expect.not.stringContaining('10.0.0.7')]);
});

test('before the boot, every route says that the server has to be set up', async () => {
  const response = await ask(applications.define(), { method: 'POST', path: ['start', 'count'], body: 3 });

  expect([response.status, await response.json()]).toEqual([
    500,
    expect.objectContaining({ code: 'ENGINE_NOT_BOOTED' }),
  ]);
});

test('with after, what a request starts is driven once it is answered', async () => {
  const perdure = await applications.boot({ workflows: [count], driven: true });
  const later: (() => Promise<void>)[] = [];

  const response = await ask(
    perdure,
    { method: 'POST', path: ['start', 'count'], body: 3, prefer: 'respond-async' },
    { after: (work) => later.push(work) },
  );
  for (const work of later) await work();

  const id = response.headers.get('location')?.split('/').at(-1) ?? '';
  expect((await (await perdure.engine()).runs.get(id))?.status).toBe('succeeded');
});

test('a tick with the secret drives what is due, and without it nothing', async () => {
  const perdure = await applications.boot({ workflows: [count], driven: true });
  const run = await perdure.startWorkflow(count, 1);
  const options = { tickSecret: 'the-secret-of-the-cron' };

  const refused = await ask(perdure, { method: 'GET', path: ['tick'] }, options);
  const before = await run.status();
  const driven = await ask(perdure, { method: 'GET', path: ['tick'], bearer: options.tickSecret }, options);

  expect([refused.status, before, driven.status, await run.status()]).toEqual([401, 'queued', 200, 'succeeded']);
});

test('an open stream of events ends when the engine is closed', async () => {
  const wait = workflow('wait', async () => new Promise<never>(() => undefined));
  const perdure = await applications.boot({ workflows: [wait], shutdownTimeout: '100ms' });
  const { id } = await perdure.startWorkflow(wait);
  const { GET } = perdureRoutes(perdure, { expose: [wait] });
  const response = await GET(
    new Request(`http://shop.test/api/perdure/runs/${id}/events`),
    params(['runs', id, 'events']),
  );

  await perdure.close();

  expect(await response.text()).toContain('event: status');
});

test.each(['before', 'while'])(
  'events are told when the engine is booted again, by routes first asked %s it closes',
  async (when) => {
    let letGo: (() => void) | undefined;
    const holding = workflow('holding', () => runStep('hold', () => new Promise<void>((resolve) => (letGo = resolve))));
    const perdure = await applications.boot({ workflows: [count, holding] });
    const { GET } = perdureRoutes(perdure, { expose: [{ workflow: count, events: [progress] }] });
    const run = await perdure.startWorkflow(count, 3);
    await run.result();
    await perdure.startWorkflow(holding);
    await waitFor(() => letGo, { what: 'the step that holds the engine', until: (release) => release !== undefined });
    const look = async (): Promise<string> => {
      const request = new Request(`http://shop.test/api/perdure/runs/${run.id}/events`);
      return (await GET(request, params(['runs', run.id, 'events']))).text();
    };
    const told = when === 'before' ? await look() : undefined;

    const closing = perdure.close();
    const meanwhile = await look();
    letGo?.();
    await closing;
    await perdure.boot();

    const after = await look();
    expect(meanwhile).toBe('retry: 1000\n\n');
    expect(after).toContain('event: status');
    expect(after).toBe(told ?? after);
  },
);

interface Asked {
  readonly method: string;
  readonly path: string[];
  readonly body?: unknown;
  readonly prefer?: string;
  readonly bearer?: string;
}

async function ask(perdure: Perdure, asked: Asked, options: Partial<RouteOptions> = {}): Promise<Response> {
  const { GET, POST } = perdureRoutes(perdure, { expose: [count], ...options });
  const { method, path, body, prefer = 'wait=5', bearer } = asked;
  const headers = { 'content-type': 'application/json', prefer, ...(bearer && { authorization: `Bearer ${bearer}` }) };
  const request = new Request(`http://shop.test/api/perdure/${path.join('/')}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (method === 'POST' ? POST : GET)(request, params(path));
}

function params(path: string[]): { params: Promise<{ path: string[] }> } {
  return { params: Promise.resolve({ path }) };
}

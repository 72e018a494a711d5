// The application that every adapter is tested with: its workflows, and the scenarios, which are the options that it is served under. They
// have names, and this file needs no other, because an adapter may serve them from a process of its own, where no closure of a test gets to.

import { createHmac } from 'node:crypto';
import { expose, type HttpOptions } from '@perdure/http';
import { event, receive, runStep, setEvent, stream, topic, workflow, writeStream, type EngineOptions } from 'perdure';
import { z } from 'zod';

export const secret = 'a secret of the conformance suite, long enough';
export const tickSecret = 'a secret of the clock';

const approval = topic('approval', z.object({ approved: z.boolean() }));
export const unlisted = topic<unknown>('unlisted');
const progress = event<number>('progress');
const inside = event<string>('inside');
const lines = stream<string>('lines');

export const echo = workflow('echo', async (input: unknown) => input);
const checkout = workflow(
  'checkout',
  async ({ sku, count }) => runStep('reserve', () => ({ sku, count, at: new Date(0) })),
  { input: z.object({ sku: z.string(), count: z.number().int().positive() }) },
);
export const approved = workflow('approved', async () => {
  await setEvent(progress, 1);
  await setEvent(inside, 'not for clients');
  await writeStream(lines, 'first');
  const answer = await receive(approval);
  await writeStream(lines, 'second');
  await setEvent(progress, 2);
  return answer;
});
const failing = workflow('failing', async () => {
  throw new Error('password=hunter2 was refused');
});
export const hidden = workflow('hidden', async () => 'nobody is to know');

/** The engine's options, but for its database. */
export const engineOptions: Omit<EngineOptions, 'database'> = {
  workflows: [echo, checkout, approved, failing, hidden],
  lease: '1s',
};

/** Those of an engine that works only when it is told to. Its runs are in a schema of their own, where no other engine takes them. */
export const drivenOptions: typeof engineOptions = { ...engineOptions, driven: true, schema: 'perdure_driven' };

const exposed = [
  echo,
  checkout,
  failing,
  expose({ workflow: approved, topics: [approval], events: [progress], streams: [lines], cancel: true }),
];

/** How the sender of the webhook signs. */
export function signWebhook(body: Uint8Array | string): string {
  return createHmac('sha256', 'of the sender').update(body).digest('hex');
}

const anybody: Partial<HttpOptions> = { authorize: () => true };

/** Allows everything, and tells whoever asks for it what it has been asked since it was asked for that. */
function talkativeHook(): HttpOptions['authorize'] {
  const asked: unknown[] = [];
  return ({ request, action, workflow: name, run, topic: to, rawBody }) => {
    if (request.headers.has('x-tell')) return Response.json({ asked: asked.splice(0) });
    asked.push([action, name, run?.workflow, to, Buffer.from(rawBody).toString()]);
    return true;
  };
}

/** What each scenario changes of the options of the protocol. */
const scenarios = {
  plain: {},
  anybody,
  shortBodies: { bodyLimit: 1_000 },
  shortWaits: { maxWait: '100ms' },
  shownErrors: { showErrors: true },
  requiredKeys: { idempotency: { required: true } },
  expiredKeys: { idempotency: { keepFor: 0 } },
  principals: { idempotency: { principal: ({ headers }) => headers.get('x-user') ?? undefined } },
  frequentComments: { ...anybody, keepAlive: '20ms' },
  noStarts: { expose: [{ workflow: echo, start: false }] },
  otherOrigins: { origins: ['https://shop.example'] },
  ticks: { tickSecret, tickBudget: '10s' },
  talkativeHook: { authorize: talkativeHook() },
  /** Strangers are unauthenticated, ann is to come back, everybody else is forbidden. */
  users: {
    authorize: ({ request }) => {
      const user = request.headers.get('x-user');
      if (user === 'ann') return new Response('come back later', { status: 429 });
      return user === null ? 'unauthenticated' : false;
    },
  },
  /** Runs may be started, and none that exists may be looked at. */
  hiddenRuns: { authorize: ({ run, action }) => action === 'start' || run === undefined },
  nobody: { authorize: () => false },
  webhook: {
    authorize: ({ request, rawBody, action }) =>
      action !== 'send' || request.headers.get('x-signature') === signWebhook(rawBody),
  },
} satisfies Readonly<Record<string, Partial<HttpOptions>>>;

/** The name of a scenario. */
export type Scenario = keyof typeof scenarios;

/** The names of all scenarios. */
export const scenarioNames = Object.keys(scenarios).filter((name): name is Scenario => name in scenarios);

/** Whether a scenario is served by the engine that is driven. */
export function isDriven(scenario: Scenario): boolean {
  return scenario === 'ticks';
}

/** The protocol's options in a scenario, but for where it is mounted. */
export function httpOptionsOf(scenario: Scenario): HttpOptions {
  return { expose: exposed, tokens: { secret }, ...scenarios[scenario] };
}

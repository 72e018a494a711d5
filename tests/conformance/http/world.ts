// The application that every adapter is tested with: its workflows, what of them is exposed, and a database per test file.

import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { expose, type HttpOptions } from '@perdure/http';
import { createTestDatabase, type TestDatabase } from '@perdure/testing';
import {
  event,
  receive,
  runStep,
  setEvent,
  silentLogger,
  stream,
  topic,
  workflow,
  writeStream,
  type Engine,
  type EngineOptions,
} from 'perdure';
import { z } from 'zod';

/** What an adapter gets to serve. */
export interface HttpApplication {
  readonly engineOptions: EngineOptions;
  readonly httpOptions: HttpOptions;
  /** Where to listen, on the loopback; any free port when it is left out. */
  readonly port?: number | undefined;
}

/** A server that listens. */
export interface ServedApplication {
  /** Where the protocol is mounted, as `http://127.0.0.1:1234/perdure`. */
  readonly url: string;
  /** Launched. */
  readonly engine: Engine;
  /** Ends streams, server and engine. */
  close(): Promise<void>;
}

/** Starts a server. */
export type Serve = (application: HttpApplication) => Promise<ServedApplication>;

export const secret = 'a secret of the conformance suite, long enough';
export const tickSecret = 'a secret of the clock';
export const basePath = '/perdure';

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
const workflows = [echo, checkout, approved, failing, hidden];

/** What is exposed, unless a test says otherwise. */
const exposed = [
  echo,
  checkout,
  failing,
  expose({ workflow: approved, topics: [approval], events: [progress], streams: [lines], cancel: true }),
];

/** The world of a test file. */
export interface HttpWorld {
  /** A server of its own for a test; closed after it. */
  serve(http?: Partial<HttpOptions>, more?: WorldOptions): Promise<ServedApplication>;
}

/** What of the application a test may change besides its HTTP options. */
export interface WorldOptions {
  readonly engine?: Partial<EngineOptions>;
  readonly port?: number;
}

/** Call it once at the top of a suite. */
export function useHttpWorld(serve: Serve): HttpWorld {
  let database: TestDatabase | undefined;
  const served: ServedApplication[] = [];

  beforeAll(async () => {
    database = await createTestDatabase({ prefix: 'perdure_http' });
  });
  afterEach(async () => {
    await Promise.all(served.splice(0).map((application) => application.close()));
  });
  afterAll(async () => {
    await database?.drop();
  });

  return {
    serve: async (http = {}, { engine = {}, port } = {}) => {
      if (database === undefined) throw new Error('the database is there only inside of tests');
      const engineOptions = { database: database.url, workflows, logger: silentLogger, lease: '1s', ...engine };
      const httpOptions = { expose: exposed, basePath, tokens: { secret }, logger: silentLogger, ...http };
      const application = await serve({ engineOptions, httpOptions, port });
      served.push(application);
      return application;
    },
  };
}

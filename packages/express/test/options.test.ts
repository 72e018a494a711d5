// What an application is put together with, and where it is wrong: told at once, not at the first request or at the end of the process.

import { createServer } from 'node:http';
import { expect, test } from '@jest/globals';
import express from 'express';
import { createEngine, silentLogger, workflow } from 'perdure';
import request from 'supertest';
import { durableHandler, gracefulShutdown, perdure, problemDetails, shutDown, startRoute } from '../src/index.js';
import { useApplications } from './support/application.js';

const db = useApplications();
const engine = createEngine({ database: 'postgres://nowhere.invalid/none' });
const echo = workflow('echo', async (input: unknown) => input);
const handler = durableHandler('create-order', (_req, res) => void res.end());
const server = createServer();
const app = express();

/** What a program without types may pass in any place. */
function untyped(value?: unknown): never {
  return value as never;
}

function signalListeners(): number {
  return process.listenerCount('SIGTERM') + process.listenerCount('SIGINT');
}

test.each<[string, () => unknown, RegExp]>([
  ['handlers that are no list', () => perdure(engine, { handlers: untyped(handler) }), /handlers .*give a list/],
  ['nothing among them', () => perdure(engine, { handlers: untyped([undefined]) }), /handlers .*durableHandler\(\)/],
  ['a plain handler', () => perdure(engine, { handlers: untyped([() => 1]) }), /handlers .*durableHandler\(\)/],
  ['handlers that are misspelt', () => perdure(engine, untyped({ handler: [] })), /known are handlers, expose, path/],
  ['no options', () => perdure(engine, untyped(null)), /option options/],
  ['no engine', () => perdure(untyped(), {}), /option engine/],
  ['a path without a slash', () => perdure(engine, { path: untyped('perdure') }), /option path/],
  ['a principal that is no function', () => perdure(engine, { principal: untyped('ada') }), /option principal/],
  ['a wish of a route that is misspelt', () => startRoute(echo, untyped({ ids: () => 'a' })), /known are input, id/],
  ['the id of every request', () => startRoute(echo, { id: untyped('order-7') }), /option id .*give a function/],
  ['a workflow by its name', () => startRoute(untyped('echo')), /contract\("echo"\)/],
  ['a handler without code', () => durableHandler('a', untyped()), /option run .*give a function/],
  ['a key by itself', () => durableHandler('a', () => 1, { key: untyped('order-7') }), /option key/],
  ['a header by itself', () => durableHandler('a', () => 1, { headers: untyped('x-tenant') }), /option headers/],
  ['answers that are misspelt', () => problemDetails(untyped({ showError: true })), /option showError/],
  ['an application for its server', () => gracefulShutdown(untyped(app), perdure(engine)), /option server .*listen/],
  [
    'an engine for its middleware',
    () => gracefulShutdown(server, untyped(engine)),
    /option perdure .*perdure\(engine\)/,
  ],
  ['a time that is misspelt', () => gracefulShutdown(server, perdure(engine), untyped({ time: 1 })), /option time /],
])('%s: OPTION_INVALID', (_what, act, message) => {
  const before = signalListeners();

  expect(act).toThrow(expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringMatching(message) }));

  expect(signalListeners()).toBe(before);
});

test('a shutdown with what is no time is refused before anything is closed', async () => {
  await expect(shutDown(server, perdure(engine), { timeout: 'soon' })).rejects.toMatchObject({
    code: 'DURATION_INVALID',
  });
});

test('a start with an option that cannot be is logged, because its answer does not tell of it', async () => {
  const lines: unknown[] = [];
  const logger = { ...silentLogger, warn: (fields: unknown) => void lines.push(fields) };
  const launched = await db.launchEngine({ workflows: [echo] });
  const misspelt = express().use(perdure(launched, { logger }), express.json());
  misspelt.post('/orders', startRoute(echo, { options: untyped(() => ({ queu: 'mail' })) }));

  const { status, body } = await request(misspelt).post('/orders').send({});

  expect([status, body.code, body.detail]).toEqual([400, 'OPTION_INVALID', undefined]);
  expect(lines).toMatchObject([{ err: { details: { option: 'queu' } }, method: 'POST', path: '/orders' }]);
});

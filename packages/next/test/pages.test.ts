// The protocol as an API route of the Pages Router, behind Next's own body parser. Without it: the conformance suite.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeEach, expect, test } from '@jest/globals';
import { parseBody } from 'next/dist/server/api-utils/node/parse-body.js';
import { workflow } from 'perdure';
import { perdureApiRoute } from '../src/index.js';
import { useApplications } from './support/applications.js';

const applications = useApplications();
const echo = workflow('echo', async (input?: unknown) => ({ input }));
let url = '';

beforeEach(async () => {
  const perdure = await applications.boot({ workflows: [echo] });
  const route = perdureApiRoute(perdure, { expose: [echo] });
  const serve = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body: unknown = await parseBody(message, '1mb');
    await route(Object.assign(message, { query: { path: ['start', 'echo'] }, body }), response);
  };
  const server = createServer((message, response) => void serve(message, response));
  applications.adopt(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/start/echo`;
});

test.each([
  ['application/json', '{"a":1}', { input: { a: 1 } }],
  ['application/json', '"text"', { input: 'text' }],
  ['application/json; charset=utf-8', '[]', { input: [] }],
  ['application/json', undefined, {}],
  [undefined, undefined, {}],
  ['application/vnd.shop+json', '{"a":1}', { input: { a: 1 } }],
])('a body of %s that is %s is the input', async (contentType, body, output) => {
  const answer = await post(contentType, body);

  expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ output })]);
});

test.each([
  ['text/plain', 'text'],
  ['application/x-www-form-urlencoded', 'a=1'],
  ['multipart/form-data; boundary=x', '--x--'],
])('a body of %s is refused', async (contentType, body) => {
  const answer = await post(contentType, body);

  expect([answer.status, await answer.json()]).toEqual([
    415,
    expect.objectContaining({ code: 'BODY_TYPE_UNSUPPORTED' }),
  ]);
});

test('a body that is no JSON in spite of its name is refused', async () => {
  const answer = await post('application/vnd.shop+json', '{"a":');

  expect([answer.status, await answer.json()]).toEqual([400, expect.objectContaining({ code: 'BODY_NOT_JSON' })]);
});

function post(contentType: string | undefined, body: string | undefined): Promise<Response> {
  const headers = { prefer: 'wait=5', ...(contentType !== undefined && { 'content-type': contentType }) };
  return fetch(url, { method: 'POST', headers, ...(body !== undefined && { body }) });
}

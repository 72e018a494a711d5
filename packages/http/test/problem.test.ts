import { expect, test } from '@jest/globals';
import { PerdureError } from 'perdure';
import { problemFor, problemResponse } from '../src/index.js';

test('an error of the protocol becomes a problem with its code, status and message', () => {
  const { status, headers, problem } = problemFor(new PerdureError('RUN_NOT_FOUND', { id: 'order-7' }));

  expect([status, headers['content-type']]).toEqual([404, 'application/problem+json']);
  expect(problem).toEqual({
    type: 'urn:perdure:error:RUN_NOT_FOUND',
    title: 'Run not found',
    status: 404,
    detail: expect.stringMatching(/^there is no run "order-7"\. /),
    code: 'RUN_NOT_FOUND',
  });
});

test('issues of an input become pointers', () => {
  const issues = [
    { path: '$.a', pointer: '#/a', message: 'is wrong' },
    { path: '$', message: 'is worse' },
  ];

  expect(problemFor(new PerdureError('INPUT_INVALID', { what: 'the input', issues })).problem.errors).toEqual([
    { pointer: '#/a', detail: 'is wrong' },
    { pointer: '#', detail: 'is worse' },
  ]);
});

test.each([
  [new Error('password=hunter2')],
  [new PerdureError('DATABASE_UNREACHABLE', { target: 'password=hunter2', reason: 'refused' })],
  [new PerdureError('RUN_ID_CONFLICT', { id: 'a', workflow: 'b', existing: 'hunter2' })],
  [new PerdureError('REQUEST_CROSS_SITE', { origin: 'https://a.example', allowed: ['https://hunter2.example'] })],
  ['password=hunter2'],
  [undefined],
])('what tells of the inside of the application is left out', async (error) => {
  const response = problemResponse(error);

  expect(response.ok).toBe(false);
  expect(await response.text()).not.toContain('hunter2');
});

test('a result that cannot be recorded is no fault of the request', () => {
  const facts = { what: 'the result of step "load" of run a', isResult: true } as const;

  const large = problemFor(new PerdureError('PAYLOAD_TOO_LARGE', { ...facts, bytes: 2, limit: 1 }));
  const strange = problemFor(new PerdureError('UNSERIALIZABLE', { ...facts, path: '$', type: 'a function' }));

  expect([large.status, large.problem.code, large.problem.detail]).toEqual([500, 'PAYLOAD_TOO_LARGE', undefined]);
  expect([strange.status, strange.problem.code]).toEqual([500, 'UNSERIALIZABLE']);
});

test('an input that is too large is the fault of the request', () => {
  const error = new PerdureError('PAYLOAD_TOO_LARGE', { what: 'the input of workflow "report"', bytes: 2, limit: 1 });

  expect(problemFor(error)).toMatchObject({ status: 413, problem: { detail: expect.stringContaining('2 bytes') } });
});

test('401, 405 and 503 come with the headers that belong to them', () => {
  const unknown = new PerdureError('REQUEST_UNAUTHENTICATED', { action: 'read' });
  const method = new PerdureError('METHOD_NOT_ALLOWED', { method: 'PUT', path: '/', allowed: ['GET', 'HEAD'] });
  const closed = new PerdureError('ENGINE_CLOSED', { operation: 'watch' });

  expect(problemFor(unknown).headers['www-authenticate']).toBe('Bearer');
  expect(problemFor(method).headers['allow']).toBe('GET, HEAD');
  expect(problemFor(closed).headers['retry-after']).toBe('1');
});

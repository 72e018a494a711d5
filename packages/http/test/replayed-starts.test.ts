// What a start tells of a run that somebody else has started.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '@perdure/testing';
import { createEngine, silentLogger, workflow, type Engine } from 'perdure';
import { createHttpHandler, expose, type HttpHandler } from '../src/index.js';

const secretive = workflow('secretive', async ({ n }: { n: number }) => `the secret of ${n}`);

let database: TestDatabase;
let engine: Engine;
let handler: HttpHandler;

beforeAll(async () => {
  database = await createTestDatabase({ prefix: 'perdure_http' });
  engine = await createEngine({ database: database.url, workflows: [secretive], logger: silentLogger }).launch();
  handler = createHttpHandler(engine, {
    expose: [
      expose({
        workflow: secretive,
        options: ({ n }, { headers }) => ({
          ...(n === 7 ? { id: 'order-7' } : {}),
          attributes: { owner: headers.get('x-user') ?? '' },
        }),
      }),
    ],
    authorize: ({ request, action, run }) =>
      action === 'start' || run?.attributes['owner'] === request.headers.get('x-user'),
  });
});
afterAll(async () => {
  await engine.close();
  await database.drop();
});

async function start(user: string, n: number, key?: string): Promise<readonly [number, unknown]> {
  const headers = { 'content-type': 'application/json', prefer: 'wait=20', 'x-user': user };
  const response = await handler(
    new Request('http://localhost/start/secretive', {
      method: 'POST',
      body: JSON.stringify({ n }),
      headers: key === undefined ? headers : { ...headers, 'idempotency-key': key },
    }),
  );
  const { output } = (await response.json()) as { output?: unknown };
  return [response.status, output];
}

test.each([
  ['has the id', 7, undefined],
  ['has the key', 8, 'k1'],
])('whoever starts what %s of a run learns its outcome if he may read it', async (_name, n, key) => {
  const first = await start('ada', n, key);

  const [again, other] = [await start('ada', n, key), await start('eve', n, key)];

  expect([first, again]).toEqual(Array(2).fill([200, `the secret of ${n}`]));
  expect(other).toEqual([202, undefined]);
});

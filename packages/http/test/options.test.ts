import { expect, test } from '@jest/globals';
import { createEngine, silentLogger, topic, workflow, type Engine } from 'perdure';
import { createHttpHandler, type HttpOptions } from '../src/index.js';

const engine = createEngine({ database: 'postgres://nowhere.invalid/none' });
const echo = workflow('echo', async (input: unknown) => input);

const faulty: readonly [string, Partial<HttpOptions>][] = [
  ['basePath', { basePath: 'perdure' }],
  ['basePath', { basePath: '/perdure/' }],
  ['bodyLimit', { bodyLimit: -1 }],
  ['tokens.secret', { tokens: { secret: 'short' } }],
  ['tokens.secret', { tokens: { secret: [] } }],
  ['tickSecret', { tickSecret: 'short' }],
  ['origins', { origins: ['https://shop.example/path'] }],
  ['origins', { origins: ['shop.example'] }],
  ['expose', { expose: [echo, { workflow: echo }] }],
  ['authorise', Object.fromEntries([['authorise', () => false]])],
];

test.each(faulty)('a fault in %s is told when the handler is made', (option, options) => {
  const make = (): unknown => createHttpHandler(engine, { expose: [], ...options });

  expect(make).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', details: expect.objectContaining({ option }) }),
  );
});

test('what is no workflow cannot be exposed', () => {
  const expose: unknown[] = [{}];

  expect(() => createHttpHandler(engine, { expose: expose as HttpOptions['expose'] })).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID' }),
  );
});

test.each([[undefined], [{ expose: [] }]])('what is no engine is refused when the handler is made: %j', (given) => {
  const notEngine: unknown = given;

  expect(() => createHttpHandler(notEngine as Engine, { expose: [] })).toThrow(
    /OPTION_INVALID: option engine .*createEngine/,
  );
});

test('an engine that is not ready is 503, and the log says why', async () => {
  const lines: unknown[] = [];
  const warn = (fields: unknown): void => void lines.push(fields);
  const handler = createHttpHandler(() => engine, { expose: [echo], logger: { ...silentLogger, warn } });

  const response = await handler(new Request('http://localhost/runs/order-7'));

  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
  expect(lines).toMatchObject([{ err: { code: 'ENGINE_NOT_LAUNCHED' }, method: 'GET', path: '/runs/order-7' }]);
});

test.each<[string, Partial<HttpOptions>, readonly string[]]>([
  ['neither authorize nor tokens', {}, ['echo', 'halt']],
  ['authorize', { authorize: () => true }, []],
  ['tokens', { tokens: { secret: 's'.repeat(32) } }, []],
])('what is exposed and yet refused to everybody is told when the handler is made, with %s', (_what, options, told) => {
  const lines: unknown[] = [];
  const warn = (fields: unknown): void => void lines.push(fields);
  const halt = workflow('halt', async () => undefined);
  const look = workflow('look', async () => undefined);
  const expose = [{ workflow: echo, topics: [topic('news')] }, { workflow: halt, cancel: true }, look];

  createHttpHandler(engine, { expose, logger: { ...silentLogger, warn }, ...options });

  expect(lines).toEqual(told.length === 0 ? [] : [{ workflows: told }]);
});

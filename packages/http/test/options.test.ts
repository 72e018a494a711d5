import { expect, test } from '@jest/globals';
import { createEngine, PerdureError, silentLogger, topic, workflow, type Engine } from 'perdure';
import { createHttpHandler, isWorthLogging, type HttpOptions } from '../src/index.js';

const engine = createEngine({ database: 'postgres://nowhere.invalid/none' });
const echo = workflow('echo', async (input: unknown) => input);

/** What a program without types may pass. */
function untyped(options: Readonly<Record<string, unknown>>): Record<string, never> {
  return options as Record<string, never>;
}

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
  ['origins', untyped({ origins: 'https://shop.example' })],
  ['tokens.secret', untyped({ tokens: 's'.repeat(32) })],
  ['tokens.secret', untyped({ tokens: null })],
  ['tickSecret', untyped({ tickSecret: 1234567890123456 })],
  ['authorise', untyped({ authorise: () => false })],
  ['authorize', untyped({ authorize: true })],
  ['requird', { idempotency: untyped({ requird: true }) }],
  ['idempotency.principal', { idempotency: untyped({ principal: 'ada' }) }],
  ['showErrors', untyped({ showErrors: 'false' })],
  ['keepAlive', { keepAlive: 0 }],
  ['expose', untyped({ expose: undefined })],
  ['expose', untyped({ expose: echo })],
  ['workflow', untyped({ expose: ['echo'] })],
  ['topic', untyped({ expose: [{ workflow: echo, topic: [topic('news')] }] })],
  ['topics', untyped({ expose: [{ workflow: echo, topics: ['news'] }] })],
  ['events', untyped({ expose: [{ workflow: echo, events: topic('news') }] })],
  ['input', untyped({ expose: [{ workflow: echo, input: 'text' }] })],
  ['options', untyped({ expose: [{ workflow: echo, options: { id: 'order-7' } }] })],
  ['cancel', untyped({ expose: [{ workflow: echo, cancel: 'yes' }] })],
];

test.each(faulty)('a fault in %s is told when the handler is made', (option, options) => {
  const make = (): unknown => createHttpHandler(engine, { expose: [], ...options });

  expect(make).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', details: expect.objectContaining({ option }) }),
  );
});

test.each([['keepAlive'], ['maxWait'], ['tickBudget']])('a fault in %s is told when the handler is made', (option) => {
  expect(() => createHttpHandler(engine, { expose: [], [option]: 'soon' })).toThrow(
    expect.objectContaining({ code: 'DURATION_INVALID', details: { value: 'soon', what: option } }),
  );
});

test.each([[undefined], [null], [[]]])('options that are none are refused: %j', (options: unknown) => {
  expect(() => createHttpHandler(engine, options as HttpOptions)).toThrow(/OPTION_INVALID: option options .*an object/);
});

test('the value of a secret is told in no error', () => {
  const secret = 'tell nobody of it, whatever else';

  for (const options of [
    { tokens: secret },
    { tokens: { secrets: secret } },
    { tickSecrt: secret },
    { tickSecret: [secret] },
  ])
    expect(() => createHttpHandler(engine, { expose: [], ...untyped(options) })).not.toThrow(new RegExp(secret));
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

test('of refusals, those that the application has caused are worth logging', () => {
  const ofApplication = new PerdureError('OPTION_INVALID', { option: 'queu', value: 'mail', reason: 'it is misspelt' });
  const ofClient = new PerdureError('RUN_NOT_FOUND', { id: 'order-7' });

  expect([ofApplication, ofClient, new Error('broken')].map(isWorthLogging)).toEqual([true, false, true]);
});

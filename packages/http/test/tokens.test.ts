import { expect, test } from '@jest/globals';
import { topic } from 'perdure';
import { signToken, verifyToken } from '../src/index.js';

const secret = 'a secret that is long enough for a token';
const old = 'another secret that is long enough for it';
const expiresAt = new Date(Date.now() + 60_000);
const scope = { run: 'order-7', action: 'send', topic: 'approval' } as const;

test('a token permits what it was signed for, and nothing else', () => {
  const token = signToken({ ...scope, secret, expiresAt });

  expect(verifyToken(token, scope, secret)).toBe(true);
  expect(verifyToken(token, { ...scope, run: 'order-8' }, secret)).toBe(false);
  expect(verifyToken(token, { ...scope, topic: 'other' }, secret)).toBe(false);
  expect(verifyToken(token, { run: 'order-7', action: 'cancel' }, secret)).toBe(false);
  expect(verifyToken(token, scope, old)).toBe(false);
});

test('parts of a scope cannot be moved from one into another', () => {
  const token = signToken({ run: 'a","send","b', action: 'read', secret, expiresAt });

  expect(verifyToken(token, { run: 'a', action: 'send', topic: 'b' }, secret)).toBe(false);
  expect(verifyToken(token, { run: 'a","send","b', action: 'read' }, secret)).toBe(true);
});

test('while a secret is being replaced, tokens of both are good', () => {
  const [older, newer] = [signToken({ ...scope, secret: old, expiresAt }), signToken({ ...scope, secret, expiresAt })];

  expect([older, newer].map((token) => verifyToken(token, scope, [secret, old]))).toEqual([true, true]);
});

test('an expired token is no more good, and its time cannot be changed', () => {
  const expired = signToken({ ...scope, secret, expiresAt: new Date(Date.now() - 1_000) });
  const [, signature] = expired.split('.');

  expect(verifyToken(expired, scope, secret)).toBe(false);
  expect(verifyToken(`zzzzzz.${signature}`, scope, secret)).toBe(false);
});

test.each([
  ['a short secret', { ...scope, secret: 'short', expiresAt }],
  ['no topic to send to', { run: 'order-7', action: 'send', secret, expiresAt } as const],
  ['no date', { ...scope, secret, expiresAt: new Date(NaN) }],
  ['a topic for its name', { ...scope, topic: topic('approval') as never, secret, expiresAt }],
  ['text for a date', { ...scope, secret, expiresAt: '2030-01-01' as never }],
  ['nothing for a run', { ...scope, run: undefined as never, secret, expiresAt }],
  ['an unknown action', { ...scope, action: 'start' as never, secret, expiresAt }],
])('%s is refused', (_name, options) => {
  expect(() => signToken(options)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
});

test('no other text than the one that was signed is a token', () => {
  const scope = { run: 'order-7', action: 'read' } as const;
  const token = signToken({ ...scope, secret, expiresAt: new Date(Date.now() + 60_000) });
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

  const taken = Array.from(alphabet).filter((last) => verifyToken(token.slice(0, -1) + last, scope, secret));

  expect(taken).toEqual([token.at(-1)]);
});

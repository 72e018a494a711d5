// Signed tokens: leave to do one thing to one run until a time, carried in a link or a header. HMAC-SHA-256; what the token
// permits is named by the request it comes with, so the token itself holds no more than its expiry and the signature.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { types } from 'node:util';
import { PerdureError } from 'perdure';

/** What a token permits. */
export type TokenAction = 'read' | 'send' | 'cancel';

/** One thing that may be done to one run. */
export interface TokenScope {
  readonly run: string;
  readonly action: TokenAction;
  /** The topic to send to; for `send` alone. */
  readonly topic?: string | undefined;
}

/** How a token is signed. */
export interface SignOptions extends TokenScope {
  /** At least 32 characters, the same in all processes. */
  readonly secret: string;
  /** When it ends. */
  readonly expiresAt: Date;
}

const shortestSecret = 32;

/**
 * A token for one action on one run. Whoever has it may do that until it expires; there is no way to take it back but another secret.
 * Throws OPTION_INVALID.
 *
 * @example
 * const token = signToken({ secret, run: run.id, action: 'send', topic: approval.name, expiresAt });
 * const link = `https://shop.example/perdure/runs/${encodeURIComponent(run.id)}/topics/approval?token=${token}`;
 */
export function signToken({ secret, expiresAt, ...scope }: SignOptions): string {
  const expires = Math.floor((types.isDate(expiresAt) ? expiresAt.getTime() : NaN) / 1_000);
  if (!Number.isSafeInteger(expires)) throw invalid('expiresAt', expiresAt, 'it is no date');
  if (typeof scope.run !== 'string' || scope.run === '') throw invalid('run', scope.run, 'give the id of a run');
  if (!['read', 'send', 'cancel'].includes(scope.action))
    throw invalid('action', scope.action, 'it is none of read, send and cancel');
  if (scope.topic !== undefined && typeof scope.topic !== 'string')
    throw invalid('topic', scope.topic, 'give the name of the topic');
  if (scope.action === 'send' && scope.topic === undefined)
    throw invalid('topic', undefined, 'a token to send needs one');
  return `${expires.toString(36)}.${macOf(checkSecret(secret), scope, expires)}`;
}

/**
 * Whether a token permits this now. `secrets`: one, or several while they are being replaced. Takes the same time for every token that
 * is well-formed. Throws OPTION_INVALID for a secret that is too short.
 */
export function verifyToken(token: string, scope: TokenScope, secrets: string | readonly string[]): boolean {
  const keys = (typeof secrets === 'string' ? [secrets] : secrets).map(checkSecret);
  const [, expiry, signature] = /^([0-9a-z]{1,11})\.([\w-]{43})$/.exec(token) ?? [];
  if (expiry === undefined || signature === undefined) return false;
  const expires = Number.parseInt(expiry, 36);
  // As text: the last character has bits to spare, so that other texts would stand for the same bytes.
  const matches = keys.map((key) => timingSafeEqual(Buffer.from(macOf(key, scope, expires)), Buffer.from(signature)));
  return matches.includes(true) && Date.now() < expires * 1_000;
}

// JSON of a list keeps its parts apart whatever characters they hold.
function macOf(secret: string, { run, action, topic }: TokenScope, expires: number): string {
  const text = JSON.stringify(['perdure-token-1', run, action, action === 'send' ? topic : null, expires]);
  return createHmac('sha256', secret).update(text).digest('base64url');
}

function checkSecret(secret: string): string {
  if (typeof secret === 'string' && secret.length >= shortestSecret) return secret;
  throw invalid('tokens.secret', 'a secret', `it must have at least ${shortestSecret} characters`);
}

function invalid(option: string, value: unknown, reason: string): PerdureError {
  return new PerdureError('OPTION_INVALID', { option, value, reason });
}

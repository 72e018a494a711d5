// Checks the options of the handler, once and before any request, and fills in what was left out.

import { consoleLogger, parseDuration, PerdureError, refuseUnknown, type Engine, type Logger } from 'perdure';
import { readExposures, type Exposures } from './exposure.js';
import type { EngineSource, HttpOptions, IdempotencyOptions } from './options.js';

/** Checked options. */
export interface Settings {
  readonly engine: () => Engine | Promise<Engine>;
  readonly exposures: Exposures;
  readonly basePath: string;
  readonly authorize: HttpOptions['authorize'];
  readonly secrets: readonly string[];
  readonly tickSecret: string | undefined;
  readonly tickBudget: number;
  readonly bodyLimit: number;
  readonly idempotency: IdempotencyOptions;
  readonly maxWaitMs: number;
  readonly keepAliveMs: number;
  readonly origins: readonly string[];
  readonly showErrors: boolean;
  readonly logger: Logger;
}

const known: Readonly<Record<keyof HttpOptions, true>> = {
  expose: true,
  basePath: true,
  authorize: true,
  tokens: true,
  tickSecret: true,
  tickBudget: true,
  bodyLimit: true,
  idempotency: true,
  maxWait: true,
  keepAlive: true,
  origins: true,
  showErrors: true,
  logger: true,
};

const knownOfKeys: Readonly<Record<keyof IdempotencyOptions, true>> = {
  keepFor: true,
  principal: true,
  required: true,
};

/** The longest that a timer of Node can be set for, 24.8 days: a longer one fires at once, and again at once. */
export const longestTimerMs = 2 ** 31 - 1;

/** Throws OPTION_INVALID, DURATION_INVALID. */
export function readOptions(engine: EngineSource, options: HttpOptions): Settings {
  checkNames(options);
  const { idempotency = {}, keepAlive = '15s' } = options;
  refuseUnknown(idempotency, knownOfKeys, 'idempotency keys');
  const fault = faultsOf(engine, options).find(({ isRight }) => !isRight);
  if (fault !== undefined) throw new PerdureError('OPTION_INVALID', fault);
  if (idempotency.keepFor !== undefined) parseDuration(idempotency.keepFor, 'idempotency.keepFor');
  const keepAliveMs = parseDuration(keepAlive, 'keepAlive');
  if (keepAliveMs < 1) throw invalid('keepAlive', keepAlive, 'there is no end of comments that come all the time');
  return {
    engine: typeof engine === 'function' ? engine : () => engine,
    exposures: readExposures(options.expose),
    basePath: options.basePath ?? '',
    authorize: options.authorize,
    secrets: secretsOf(options),
    tickSecret: options.tickSecret,
    tickBudget: parseDuration(options.tickBudget ?? '20s', 'tickBudget'),
    bodyLimit: options.bodyLimit ?? 2 ** 20,
    idempotency,
    maxWaitMs: parseDuration(options.maxWait ?? '30s', 'maxWait'),
    keepAliveMs: Math.min(keepAliveMs, longestTimerMs),
    origins: options.origins ?? [],
    showErrors: options.showErrors ?? false,
    logger: options.logger ?? consoleLogger(),
  };
}

// A letter wrong in `authorize` would open what it guards. The values are not told: they may be secrets.
function checkNames(options: HttpOptions): void {
  const isObject = typeof options === 'object' && options !== null && !Array.isArray(options);
  const kinds = isObject ? Object.entries(options).map(([option, value]) => [option, typeof value] as const) : [];
  refuseUnknown(isObject ? Object.fromEntries(kinds) : options, known, 'handlers of the protocol');
}

interface Check {
  readonly option: string;
  readonly value: unknown;
  readonly isRight: boolean;
  readonly reason: string;
}

// Programs without types may pass anything; the value of a secret is never told.
function faultsOf(engine: unknown, options: HttpOptions): readonly Check[] {
  const { basePath = '', bodyLimit = 0, tokens, tickSecret, origins = [], authorize, showErrors } = options;
  const { expose, idempotency }: { expose: unknown; idempotency?: IdempotencyOptions | undefined } = options;
  const secrets: readonly unknown[] = secretsOf(options);
  const areSecrets = secrets.length > 0 && secrets.every((secret) => isTextOf(secret, 32));
  const row = ([option, value]: [string, unknown], isRight: boolean, reason: string): Check => {
    return { option, value, isRight, reason };
  };
  return [
    row(['engine', engine], isEngineSource(engine), 'give what createEngine() returns'),
    row(['expose', expose], Array.isArray(expose), 'give a list of workflows; an empty one opens nothing'),
    row(['basePath', basePath], basePath === '' || /^\/[^?#]*[^/?#]$/.test(basePath), 'make it like /perdure'),
    row(['bodyLimit', bodyLimit], Number.isSafeInteger(bodyLimit) && bodyLimit >= 0, 'give a whole number of bytes'),
    row(['tokens.secret', 'a secret'], tokens === undefined || areSecrets, 'give at least 32 characters'),
    row(
      ['tickSecret', 'a secret'],
      tickSecret === undefined || isTextOf(tickSecret, 16),
      'give at least 16 characters',
    ),
    row(
      ['origins', origins],
      Array.isArray(origins) && origins.every(isOrigin),
      'give a list of origins such as https://shop.example, without paths',
    ),
    row(['authorize', authorize], isFunctionOrAbsent(authorize), 'give a function'),
    row(
      ['idempotency.principal', idempotency?.principal],
      isFunctionOrAbsent(idempotency?.principal),
      'give a function',
    ),
    row(
      ['showErrors', showErrors],
      ['boolean', 'undefined'].includes(typeof showErrors),
      'it is neither true nor false',
    ),
  ];
}

function secretsOf({ tokens }: HttpOptions): readonly string[] {
  const { secret }: { readonly secret?: string | readonly string[] } = tokens ?? {};
  return secret === undefined ? [] : [secret].flat();
}

function isTextOf(value: unknown, leastLength: number): boolean {
  return typeof value === 'string' && value.length >= leastLength;
}

function isFunctionOrAbsent(value: unknown): boolean {
  return value === undefined || typeof value === 'function';
}

function isEngineSource(engine: unknown): boolean {
  if (typeof engine === 'function') return true;
  return typeof engine === 'object' && engine !== null && 'startWorkflow' in engine;
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

function invalid(option: string, value: unknown, reason: string): PerdureError {
  return new PerdureError('OPTION_INVALID', { option, value, reason });
}

// The options of the handler, and what they are when left out.

import {
  consoleLogger,
  parseDuration,
  PerdureError,
  refuseUnknown,
  type Duration,
  type Engine,
  type Logger,
  type RunInfo,
} from 'perdure';
import { readExposures, type Exposable, type Exposures } from './exposure.js';
import type { TokenAction } from './tokens.js';

/** What a request is about to do. */
export type HttpAction = 'start' | TokenAction;

/** What `authorize` decides on. */
export interface Authorization {
  readonly request: Request;
  /** start a run, read it (also its events), send it a message, cancel it. */
  readonly action: HttpAction;
  /** Name of the workflow; undefined when there is no such run. */
  readonly workflow: string | undefined;
  /** The run; undefined for a start, and when there is no such run. */
  readonly run: RunInfo | undefined;
  /** The topic to send to. */
  readonly topic: string | undefined;
  /** What an adapter or `idempotency.principal` says of the sender. */
  readonly principal: string | undefined;
  /** The body as it came, to verify the signature of a webhook; empty when there is none. */
  readonly rawBody: Uint8Array;
}

/**
 * true: go on. false: 403. 'unauthenticated': 401. Or an answer of your own. A refused run is answered as an unknown one would be.
 */
export type Verdict = boolean | 'unauthenticated' | Response;

/** What an adapter knows of a request besides the Request. */
export interface RequestInfo {
  /** Who sends it: keys of different principals are different keys. */
  readonly principal?: string | undefined;
  /** The body as it came, when somebody has read it already. */
  readonly rawBody?: Uint8Array | undefined;
  /** The body as somebody has parsed it; then neither the Request's nor `rawBody` is parsed. */
  readonly parsedBody?: { readonly value: unknown } | undefined;
  /** Where the protocol is mounted for this request, in place of the option. */
  readonly basePath?: string | undefined;
}

/** Options of idempotency keys. */
export interface IdempotencyOptions {
  /** How long a key stands for its run, from the start of the run. Default: 24h. It ends with the run's row as well. */
  readonly keepFor?: Duration | undefined;
  /** Who sends a request: keys of different principals are different keys. Default: what the adapter says. */
  readonly principal?: ((request: Request) => string | undefined | Promise<string | undefined>) | undefined;
  /** Refuses starts without a key. Default: false. */
  readonly required?: boolean | undefined;
}

/** Options of the handler. */
export interface HttpOptions {
  /** The workflows that are reachable. */
  readonly expose: readonly Exposable[];
  /** Where the protocol is mounted, as `/perdure`. Default: the root. */
  readonly basePath?: string | undefined;
  /**
   * Guards every route but the tick. Default: starting and looking are allowed to everybody who can name a workflow or run, sending and
   * cancelling take a signed token.
   */
  readonly authorize?: ((authorization: Authorization) => Verdict | Promise<Verdict>) | undefined;
  /** Accepts signed tokens, in `?token=` or as a bearer token, in place of `authorize`. Several secrets while one is being replaced. */
  readonly tokens?: { readonly secret: string | readonly string[] } | undefined;
  /** Opens `/tick`, to whoever sends it as a bearer token. At least 16 characters. */
  readonly tickSecret?: string | undefined;
  /** How long one tick works. Default: 20s. */
  readonly tickBudget?: Duration | undefined;
  /** Bytes of a body. Default: 1 MiB. */
  readonly bodyLimit?: number | undefined;
  readonly idempotency?: IdempotencyOptions | undefined;
  /** The longest wait that a client gets with `Prefer: wait`. Default: 30s. */
  readonly maxWait?: Duration | undefined;
  /** How often a comment keeps a stream of events open. Default: 15s. */
  readonly keepAlive?: Duration | undefined;
  /** Origins, besides the server's own, whose pages may start, send and cancel, as `https://shop.example`. */
  readonly origins?: readonly string[] | undefined;
  /** Tells clients the messages of the errors that runs fail with; otherwise their names and codes alone. Default: false. */
  readonly showErrors?: boolean | undefined;
  /** Hears of requests that ended with an error of the server. Default: the console. */
  readonly logger?: Logger | undefined;
}

/** The engine, or how to get it: frameworks boot late. */
export type EngineSource = Engine | (() => Engine | Promise<Engine>);

/** Checked options. */
export interface Settings {
  readonly engine: () => Engine | Promise<Engine>;
  readonly exposures: Exposures;
  readonly basePath: string;
  readonly authorize: HttpOptions['authorize'];
  readonly secrets: readonly string[];
  readonly tickSecret: string | undefined;
  readonly tickBudget: Duration;
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

function isEngineSource(engine: unknown): boolean {
  if (typeof engine === 'function') return true;
  return typeof engine === 'object' && engine !== null && 'startWorkflow' in engine;
}

/** Throws OPTION_INVALID, DURATION_INVALID. */
export function readOptions(engine: EngineSource, options: HttpOptions): Settings {
  checkNames(options);
  const { bodyLimit = 2 ** 20, basePath = '', tokens, tickSecret, origins = [] } = options;
  const secrets = tokens === undefined ? [] : [tokens.secret].flat();
  const faults = [
    { option: 'engine', value: engine, isRight: isEngineSource(engine), reason: 'give what createEngine() returns' },
    {
      option: 'basePath',
      value: basePath,
      isRight: basePath === '' || /^\/[^?#]*[^/?#]$/.test(basePath),
      reason: 'make it like /perdure',
    },
    {
      option: 'bodyLimit',
      value: bodyLimit,
      isRight: Number.isSafeInteger(bodyLimit) && bodyLimit >= 0,
      reason: 'give a whole number of bytes',
    },
    {
      option: 'tokens.secret',
      value: 'a secret',
      isRight: tokens === undefined || (secrets.length > 0 && secrets.every((secret) => secret.length >= 32)),
      reason: 'give at least 32 characters',
    },
    {
      option: 'tickSecret',
      value: 'a secret',
      isRight: (tickSecret?.length ?? 16) >= 16,
      reason: 'give at least 16 characters',
    },
    {
      option: 'origins',
      value: origins,
      isRight: origins.every(isOrigin),
      reason: 'give origins such as https://shop.example, without paths',
    },
  ];
  const fault = faults.find(({ isRight }) => !isRight);
  if (fault !== undefined) throw new PerdureError('OPTION_INVALID', fault);
  return {
    engine: typeof engine === 'function' ? engine : () => engine,
    exposures: readExposures(options.expose),
    basePath,
    authorize: options.authorize,
    secrets,
    tickSecret,
    tickBudget: options.tickBudget ?? '20s',
    bodyLimit,
    idempotency: options.idempotency ?? {},
    maxWaitMs: parseDuration(options.maxWait ?? '30s', 'maxWait'),
    keepAliveMs: parseDuration(options.keepAlive ?? '15s', 'keepAlive'),
    origins,
    showErrors: options.showErrors ?? false,
    logger: options.logger ?? consoleLogger(),
  };
}

// A letter wrong in `authorize` would open what it guards. The values are not told: they may be secrets.
function checkNames(options: HttpOptions): void {
  const kinds = Object.entries(options).map(([option, value]) => [option, typeof value] as const);
  refuseUnknown(Object.fromEntries(kinds), known, 'handlers of the protocol');
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

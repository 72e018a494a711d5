// The options of the handler.

import type { Duration, Engine, Logger, RunInfo } from 'perdure';
import type { Exposable } from './exposure.js';
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
  /** Hears of requests that ended with an error of the server, or with options of a start that cannot be. Default: the console. */
  readonly logger?: Logger | undefined;
}

/** The engine, or how to get it: frameworks boot late. */
export type EngineSource = Engine | (() => Engine | Promise<Engine>);

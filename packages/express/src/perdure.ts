// The middleware: gives requests the engine, serves the protocol, and tells the engine of durable handlers.

import { createHttpHandler, sendToNode, type HttpOptions } from '@perdure/http';
import type { Application, NextFunction, Request, RequestHandler, Response } from 'express';
import { consoleLogger, parseDuration, PerdureError, refuseUnknown, type Engine } from 'perdure';
import type { DurableHandler } from './handler-definition.js';
import { HostedHandlers } from './hosted-handlers.js';
import type { Mount } from './mount.js';
import { RequestTools } from './request-tools.js';
import { toRequestInfo, toWebRequest } from './to-web-request.js';

/** Options of the middleware: those of the protocol, and what Express adds. */
export interface PerdureOptions extends Omit<HttpOptions, 'basePath' | 'expose'> {
  /** The workflows that are reachable under `path`. Default: none. */
  readonly expose?: HttpOptions['expose'];
  /** The durable handlers of the application. Their names are workflows of the engine. */
  readonly handlers?: readonly DurableHandler<never>[];
  /** Where the protocol answers, from where the middleware is mounted; `/` for all that comes there. Default: `/perdure`. */
  readonly path?: `/${string}`;
  /** Who sends a request: idempotency keys of different principals are different keys. Default: everybody is one. */
  readonly principal?: (req: Request) => string | undefined;
}

/** The middleware. */
export interface Perdure extends RequestHandler {
  readonly engine: Engine;
  /** Ends streams of events, and those that would be opened later, so that the server can close. */
  close(): Promise<void>;
}

/**
 * Middleware that gives requests the engine: `req.perdure`, `startRoute` and durable handlers need it before them. Under `path` it
 * serves the protocol of @perdure/http for the workflows in `expose`. Mount it on the application, before body parsers if the
 * protocol is used; the engine is launched and closed by whoever made it.
 * Throws OPTION_INVALID, DURATION_INVALID, WORKFLOW_DUPLICATE.
 *
 * @example
 * const engine = createEngine({ database: process.env.DATABASE_URL, workflows: [checkout] });
 * await engine.launch();
 * app.use(perdure(engine, { handlers: [createOrder], expose: [checkout] }));
 */
export function perdure(engine: Engine, options: PerdureOptions = {}): Perdure {
  checkOptions(options);
  const { expose = [], handlers = [], principal, path: chosenPath = '/perdure', ...httpOptions } = options;
  const path = chosenPath === '/' ? '' : chosenPath;
  const mount: Mount = {
    engine,
    handlers: new HostedHandlers(engine, handlers),
    protocol: createHttpHandler(engine, { ...httpOptions, expose, basePath: path }),
    path,
    principal,
    idempotency: options.idempotency ?? {},
    maxWaitMs: parseDuration(options.maxWait ?? '30s', 'maxWait'),
    showErrors: options.showErrors ?? false,
    logger: options.logger ?? consoleLogger(),
  };
  const middleware = (req: Request, res: Response, next: NextFunction): void => {
    mount.handlers.bind(req.app);
    req.perdure = new RequestTools(mount, req, res);
    if (`${req.path}/`.startsWith(`${path}/`)) serveProtocol(mount, req, res).catch(next);
    else next();
  };
  const mounted = mountable(middleware, (app) => mount.handlers.bind(app));
  return Object.assign(middleware, { engine, close: () => mount.protocol.close() }, mounted);
}

const known: Readonly<Record<keyof PerdureOptions, true>> = {
  handlers: true,
  expose: true,
  path: true,
  principal: true,
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

// What the protocol takes, it checks itself. Values are not told: they may be secrets.
function checkOptions(options: PerdureOptions): void {
  const isObject = typeof options === 'object' && options !== null && !Array.isArray(options);
  const kinds = isObject ? Object.entries(options).map(([option, value]) => [option, typeof value] as const) : [];
  refuseUnknown(isObject ? Object.fromEntries(kinds) : options, known, 'middlewares');
  const { path = '/', principal } = options;
  if (typeof path !== 'string' || !path.startsWith('/'))
    throw new PerdureError('OPTION_INVALID', { option: 'path', value: path, reason: 'make it like /perdure' });
  if (principal !== undefined && typeof principal !== 'function')
    throw new PerdureError('OPTION_INVALID', { option: 'principal', value: principal, reason: 'give a function' });
}

async function serveProtocol({ protocol, principal }: Mount, req: Request, res: Response): Promise<void> {
  const { basePath } = req.perdure;
  const response = await protocol(toWebRequest(req, res), {
    ...toRequestInfo(req),
    basePath,
    principal: principal?.(req),
  });
  await sendToNode(response, res);
}

// What Express takes for an application of its own, it tells where it is mounted. That is before any request, so that handlers whose
// process died go on in this one although nobody has asked for anything yet.
function mountable(middleware: RequestHandler, onMount: (app: Application) => void): object {
  return {
    handle: middleware,
    set: () => undefined,
    emit: (event: string, app: Application) => {
      if (event === 'mount') onMount(app);
    },
  };
}

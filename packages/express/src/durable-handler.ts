// Durable handlers: the request is the run, and its response the run's result.

import type { NextFunction, Request, Response } from 'express';
import { contract, PerdureError, refuseUnknown, type Duration } from 'perdure';
import { handlerKey, type DurableHandler, type HandlerDefinition, type HandlerFunction } from './handler-definition.js';
import { requireTools } from './request-tools.js';
import { serveDurably } from './serve-durably.js';
import { headersToStore, storeRequest } from './stored-request.js';

/** Options of a durable handler. */
export interface DurableHandlerOptions<Properties extends object> {
  /**
   * What else of a request is recorded: properties that the handler finds on its request, such as `user`. Sessions, cookies, files and
   * `res.locals` are not there unless they are chosen here, as plain data. With its parameter annotated, `(req: Request) => …`, the handler's request
   * has the types of the properties.
   */
  readonly persist?: (req: Request) => Properties | Promise<Properties>;
  /** Headers to record besides the harmless ones. Authorization and cookies cannot be. */
  readonly headers?: readonly string[];
  /** What makes two requests the same one. Default: the header Idempotency-Key. Undefined: each request is its own. */
  readonly key?: (req: Request) => string | undefined;
  /** Whether a request without a key is refused with 400. Default: false. */
  readonly requireKey?: boolean;
  /** How long the whole run may take. Default: no limit. */
  readonly timeout?: Duration;
}

/**
 * A durable handler: an Express handler whose request survives its process. What it does in steps is done once; its response (status,
 * headers, cookies, body) is recorded, and sent again to a request with the same Idempotency-Key. What it throws, or passes to `next`,
 * reaches the application's error middleware, the first time and every time after. List it in `perdure(engine, { handlers })`.
 *
 * The handler is workflow code: do what has effects in steps. It sees the parsed body, params, query and harmless headers of its
 * request, not the connection. Throws NAME_INVALID, DURATION_INVALID, OPTION_INVALID. Requests end with HANDLER_UNSUPPORTED, HANDLER_UNLISTED,
 * MIDDLEWARE_MISSING, IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_KEY_MISSING.
 *
 * @example
 * const createOrder = durableHandler('create-order', async (req, res) => {
 *   const payment = await runStep('charge', () => payments.charge(req.body));
 *   res.status(201).json({ payment });
 * });
 * app.use(perdure(engine, { handlers: [createOrder] }), express.json());
 * app.post('/orders', createOrder);
 */
export function durableHandler<Params = Request['params'], Properties extends object = object>(
  name: string,
  run: (req: Request<Params> & NoInfer<Properties>, res: Response, next: NextFunction) => unknown,
  options: DurableHandlerOptions<Properties> = {},
): DurableHandler<Params> {
  refuseUnknown(options, known, 'durable handlers');
  for (const [option, value] of Object.entries({ persist: options.persist, key: options.key, run }))
    if (typeof value !== 'function' && (value !== undefined || option === 'run'))
      throw new PerdureError('OPTION_INVALID', { option, value, reason: `give a function to the handler "${name}"` });
  contract(name, options.timeout === undefined ? {} : { timeout: options.timeout }); // checks both
  const headers = headersToStore(options.headers);
  const definition: HandlerDefinition = { name, run: run as HandlerFunction, timeout: options.timeout };
  const serve = async (req: Request, res: Response): Promise<void> => {
    requireTools(req, `durableHandler("${name}")`);
    const persisted = options.persist === undefined ? undefined : await options.persist(req);
    const stored = storeRequest(name, req, { headers, persisted });
    await serveDurably(definition, stored, { req, res, ...options });
  };
  const handler = (req: Request, res: Response, next: NextFunction): void => {
    serve(req, res).catch(next); // Express 4 does not look at what a handler returns
  };
  return Object.assign(handler, { [handlerKey]: definition } as const) as DurableHandler<Params>;
}

const known: Readonly<Record<keyof DurableHandlerOptions<object>, true>> = {
  persist: true,
  headers: true,
  key: true,
  requireKey: true,
  timeout: true,
};

// What a durable handler is to the middleware that hands it to the engine.

import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { Duration } from 'perdure';

/** The code of a durable handler. */
export type HandlerFunction = (req: Request, res: Response, next: NextFunction) => unknown;

/** What `perdure(engine, { handlers })` reads from a durable handler. */
export interface HandlerDefinition {
  readonly name: string;
  readonly run: HandlerFunction;
  readonly timeout: Duration | undefined;
}

/** The key under which a durable handler carries its definition. Shared by all copies of the package. */
export const handlerKey: unique symbol = Symbol.for('perdure/express/handler/v1');

/** A durable handler: an ordinary Express handler to whoever mounts it. */
export interface DurableHandler<Params = Request['params']> extends RequestHandler<Params> {
  readonly [handlerKey]: HandlerDefinition;
}

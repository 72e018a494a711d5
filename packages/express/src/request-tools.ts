// `req.perdure`: what a request can do with the engine.

import type { Request, Response } from 'express';
import { PerdureError, type Engine } from 'perdure';
import type { Mount } from './mount.js';

/** What a route finds in `req.perdure`. */
export class RequestTools {
  readonly engine: Engine;
  /** @internal */
  readonly mount: Mount;
  /** Where the protocol answers, as `/perdure`. */
  readonly basePath: string;
  readonly #res: Response;

  /** @internal */
  constructor(mount: Mount, req: Request, res: Response) {
    this.engine = mount.engine;
    this.mount = mount;
    this.basePath = req.baseUrl + mount.path;
    this.#res = res;
  }

  /** Starts a run: `engine.startWorkflow`. */
  get start(): Engine['startWorkflow'] {
    return this.engine.startWorkflow.bind(this.engine);
  }

  /** Sends a message to a run: `engine.send`. */
  get send(): Engine['send'] {
    return this.engine.send.bind(this.engine);
  }

  /**
   * Answers this request with 202, the run's id, and where to look at it. Whoever asks there gets 404 unless the workflow is under
   * `expose`.
   *
   * @example
   * app.post('/orders', async (req, res) => {
   *   req.perdure.accepted(await req.perdure.start(checkout, req.body));
   * });
   */
  accepted(run: { readonly id: string }): Response {
    const location = `${this.basePath}/runs/${encodeURIComponent(run.id)}`;
    const headers = { location, 'retry-after': '1', 'cache-control': 'no-store' };
    return this.#res.status(202).set(headers).json({ id: run.id });
  }
}

/** Throws MIDDLEWARE_MISSING. */
export function requireTools(req: Request, operation: string): RequestTools {
  const tools: RequestTools | undefined = req.perdure;
  if (tools === undefined) throw new PerdureError('MIDDLEWARE_MISSING', { operation });
  return tools;
}

declare global {
  // The only way in which Express's types can be extended.
  namespace Express {
    interface Request {
      /** Durable runs, once the request has passed through `perdure(engine)`. */
      perdure: RequestTools;
    }
  }
}

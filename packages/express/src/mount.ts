// What one `perdure(engine)` is made of: the parts that its requests share.

import type { HttpHandler, IdempotencyOptions } from '@perdure/http';
import type { Request } from 'express';
import type { Engine, Logger } from 'perdure';
import type { HostedHandlers } from './hosted-handlers.js';

/** One middleware's parts. */
export interface Mount {
  readonly engine: Engine;
  readonly handlers: HostedHandlers;
  /** The protocol of @perdure/http. */
  readonly protocol: HttpHandler;
  /** Where the protocol answers, from the mount path on. */
  readonly path: string;
  readonly principal: ((req: Request) => string | undefined) | undefined;
  readonly idempotency: Pick<IdempotencyOptions, 'keepFor' | 'required'>;
  readonly maxWaitMs: number;
  readonly showErrors: boolean;
  readonly logger: Logger;
}

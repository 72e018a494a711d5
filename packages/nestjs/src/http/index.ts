// The public surface of @perdure/nestjs/http, which needs @perdure/http.

export {
  PerdureHttpModule,
  type PerdureHttpRootAsyncOptions,
  type PerdureHttpRootOptions,
} from './perdure-http.module.js';
export type { PerdureHttpExtras, PerdureHttpOptions, PerdureHttpOptionsFactory } from './options.js';
export { PerdureExceptionFilter } from './exception-filter.js';
export { addWorkflowPaths } from './open-api.js';

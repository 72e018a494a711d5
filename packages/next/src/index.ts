// The whole public surface of @perdure/next, for the server. What browsers use is in ./client.

export { definePerdure, type Perdure } from './define.js';
export type { NextOptions } from './options.js';
export { perdureApiRoute, type ApiRequest } from './pages.js';
export {
  perdureRoutes,
  type RouteContext,
  type RouteHandler,
  type RouteHandlers,
  type RouteOptions,
} from './routes.js';

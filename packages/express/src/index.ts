// The whole public surface of @perdure/express.

export { problemDetails, type ProblemOptions } from './answer-problem.js';
export { durableHandler, type DurableHandlerOptions } from './durable-handler.js';
export { gracefulShutdown, shutDown, type ShutdownOptions, type SignalOptions } from './graceful-shutdown.js';
export type { DurableHandler, HandlerDefinition, HandlerFunction } from './handler-definition.js';
export { perdure, type Perdure, type PerdureOptions } from './perdure.js';
export { startRoute, type StartRouteOptions } from './start-route.js';
export type { RequestTools } from './request-tools.js';
export { keepRawBody, rawBodyOf } from './to-web-request.js';
export { expose, signToken, verifyToken } from '@perdure/http';

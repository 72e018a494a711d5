// The whole public surface of @perdure/http.

export { answerStart, type RequestStart, type StartAnswer, type StartingRequest } from './answer-start.js';
export { createHttpHandler, type HttpHandler } from './handler.js';
export { expose, type Exposable, type ExposedWorkflow } from './exposure.js';
export type {
  Authorization,
  EngineSource,
  HttpAction,
  HttpOptions,
  IdempotencyOptions,
  RequestInfo,
  Verdict,
} from './options.js';
export { fingerprint, type FingerprintParts } from './fingerprint.js';
export { readIdempotencyKey, type HeaderSource } from './idempotency-key.js';
export { nodeListener, requestFromNode, sendToNode, type NodeRequestOptions } from './node-bridge.js';
export { openApi, type OpenApiDocument, type OpenApiOptions } from './open-api.js';
export { plain } from './plain-json.js';
export { parsePrefer, type Preferences } from './prefer.js';
export { isWorthLogging, problemFor, problemResponse, type Problem, type ProblemAnswer } from './problem.js';
export type { ErrorView, RunView } from './run-view.js';
export { startFromRequest } from './start-from-request.js';
export { startIdempotently, type IdempotentRun, type IdempotentStart } from './start-idempotently.js';
export { signToken, verifyToken, type SignOptions, type TokenAction, type TokenScope } from './tokens.js';

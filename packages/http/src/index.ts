// The whole public surface of @perdure/http.

export { expose, type Exposable, type ExposedWorkflow } from './exposure.js';
export { fingerprint, type FingerprintParts } from './fingerprint.js';
export type {
  Authorization,
  EngineSource,
  HttpAction,
  HttpOptions,
  IdempotencyOptions,
  RequestInfo,
  Verdict,
} from './options.js';
export { parsePrefer, type Preferences } from './prefer.js';
export { problemFor, problemResponse, type Problem, type ProblemAnswer } from './problem.js';
export { signToken, verifyToken, type SignOptions, type TokenAction, type TokenScope } from './tokens.js';

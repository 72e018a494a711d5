// A framework's way of answering a request by throwing: Next's `redirect()`, `notFound()` and their like. A run has no request to
// answer, and recorded as its error it would later answer that of whoever asks for the result.

import { PerdureError } from './errors.js';

// Told by the digest: a bundled copy of the framework's classes has no identity.
const digests =
  /^(NEXT_REDIRECT;|NEXT_HTTP_ERROR_FALLBACK;|NEXT_NOT_FOUND$|NEXT_PRERENDER_INTERRUPTED|DYNAMIC_SERVER_USAGE$|HANGING_PROMISE_REJECTION$|BAILOUT_TO_CLIENT_SIDE_RENDERING$)/;

/** Whether an error is for a framework to catch, and nobody else: never record one, and throw it on. */
export function isControlFlow(error: unknown): error is Error & { readonly digest: string } {
  const digest: unknown = error instanceof Error ? Reflect.get(error, 'digest') : undefined;
  return typeof digest === 'string' && digests.test(digest);
}

/** What to record of an error that a run or a step has thrown. */
export function recordable(error: unknown, thrownBy: string): unknown {
  if (!isControlFlow(error)) return error;
  const call = error.digest.startsWith('NEXT_REDIRECT') ? 'redirect()' : error.digest.split(';', 1)[0];
  return new PerdureError('CONTROL_FLOW_IN_RUN', { call: call ?? '', thrownBy });
}

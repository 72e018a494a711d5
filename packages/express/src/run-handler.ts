// A durable handler's run: calls the handler with a request made from the recorded one, and results in the response that it
// ends. Live, on replay and after a crash the same.

import type { Express } from 'express';
import { PerdureError } from 'perdure';
import { captureResponse, type RecordedResponse } from './captured-response.js';
import type { HandlerFunction } from './handler-definition.js';
import type { StoredRequest } from './stored-request.js';
import { syntheticRequest } from './synthetic-request.js';

// Files are sent after a handler has returned, and some handlers respond from callbacks.
const timeToRespondMs = 30_000;

/** The recorded response; rejects with what the handler throws or passes to `next`, and with HANDLER_UNSUPPORTED. */
export async function runHandler(
  { name, run, app }: { readonly name: string; readonly run: HandlerFunction; readonly app: Express },
  stored: StoredRequest,
): Promise<RecordedResponse> {
  const failure = new Failure(name);
  const req = syntheticRequest({ app, refuse: failure.refuse }, stored);
  const { res, recorded } = captureResponse(app, req, failure.refuse);
  const next = (error?: unknown): void => {
    if (error !== undefined && error !== 'route' && error !== 'router') failure.reject(error);
    else
      failure.refuse(
        'it calls next() to leave the response to another handler, which would not run again after a crash; respond here',
      );
  };
  let tooLate: NodeJS.Timeout | undefined;
  const respond = async (): Promise<RecordedResponse> => {
    await run(req, res, next);
    const late = (): void => failure.refuse(`it has returned and not ended its response for ${timeToRespondMs} ms`);
    tooLate = setTimeout(late, timeToRespondMs);
    return recorded;
  };
  try {
    return await Promise.race([respond(), failure.promise]);
  } finally {
    clearTimeout(tooLate);
  }
}

/** The end of a handler that cannot be recorded, or says by a callback that it has failed. */
class Failure {
  readonly promise: Promise<never>;
  readonly reject: (error: unknown) => void;
  readonly refuse: (reason: string) => void;

  constructor(handler: string) {
    let end: (error: unknown) => void = () => undefined;
    this.promise = new Promise((_, reject) => (end = reject));
    this.reject = end;
    this.refuse = (reason) => end(new PerdureError('HANDLER_UNSUPPORTED', { handler, reason }));
  }
}

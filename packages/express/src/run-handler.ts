// A durable handler's run: calls the handler with a request made from the recorded one, and results in the response that it
// ends. Live, on replay and after a crash the same.

import type { Express } from 'express';
import { PerdureError } from 'perdure';
import { responseMaker, type MakeResponse, type RecordedResponse } from './captured-response.js';
import type { HandlerFunction } from './handler-definition.js';
import type { StoredRequest } from './stored-request.js';
import { requestMaker, type MakeRequest } from './synthetic-request.js';

// Files are sent after a handler has returned, and some handlers respond from callbacks.
const timeToRespondMs = 30_000;

/** Runs the durable handlers of one application. */
export class HandlerRunner {
  readonly #makeRequest: MakeRequest;
  readonly #makeResponse: MakeResponse;

  constructor(app: Express) {
    this.#makeRequest = requestMaker(app);
    this.#makeResponse = responseMaker(app);
  }

  /** The recorded response; rejects with what the handler throws or passes to `next`, and with HANDLER_UNSUPPORTED. */
  async run(name: string, handle: HandlerFunction, stored: StoredRequest): Promise<RecordedResponse> {
    const ending = new Ending(name);
    const req = this.#makeRequest(stored, ending.refuse);
    const res = this.#makeResponse(req, ending);
    req.next = ending.next; // where sendFile, render and format of Express put their errors
    try {
      return await Promise.race([ending.failure, respond(ending, () => handle(req, res, ending.next))]);
    } finally {
      ending.forget();
    }
  }
}

async function respond(ending: Ending, handle: () => unknown): Promise<RecordedResponse> {
  await handle();
  ending.expectWithin(timeToRespondMs);
  return ending.recorded;
}

/** How a handler ends: with a response, with an error given to a callback, or with what cannot be recorded. */
class Ending {
  readonly #handler: string;
  readonly recorded: Promise<RecordedResponse>;
  readonly failure: Promise<never>;
  #timer: NodeJS.Timeout | undefined;
  #isRecorded = false;
  #resolve: (response: RecordedResponse) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(handler: string) {
    this.#handler = handler;
    this.recorded = new Promise((resolve) => (this.#resolve = resolve));
    this.failure = new Promise((_, reject) => (this.#reject = reject));
  }

  readonly record = (response: RecordedResponse): void => {
    this.#isRecorded = true;
    this.#resolve(response);
  };

  readonly refuse = (reason: string): void => {
    this.#reject(new PerdureError('HANDLER_UNSUPPORTED', { handler: this.#handler, reason }));
  };

  readonly next = (error?: unknown): void => {
    if (error !== undefined && error !== 'route' && error !== 'router') this.#reject(error);
    else
      this.refuse(
        'it calls next() to leave the response to another handler, which would not run again after a crash; respond here',
      );
  };

  expectWithin(ms: number): void {
    if (this.#isRecorded) return;
    this.#timer = setTimeout(() => this.refuse(`it has returned and not ended its response for ${ms} ms`), ms);
  }

  forget(): void {
    clearTimeout(this.#timer);
  }
}

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
  run(name: string, handle: HandlerFunction, stored: StoredRequest): Promise<RecordedResponse> {
    return new Promise((resolve, reject) => {
      const ending = new Ending(name, resolve, reject);
      const req = this.#makeRequest(stored, ending.refuse);
      const res = this.#makeResponse(req, ending);
      req.next = ending.next; // where sendFile, render and format of Express put their errors
      void ending.follow(() => handle(req, res, ending.next));
    });
  }
}

/**
 * How a handler ends: it has returned and ended its response, or there was an error, thrown or given to a callback, or what cannot be
 * recorded.
 */
class Ending {
  readonly #handler: string;
  readonly #resolve: (response: RecordedResponse) => void;
  readonly #reject: (error: unknown) => void;
  #response: RecordedResponse | undefined;
  #hasReturned = false;
  #hasFailed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(handler: string, resolve: (response: RecordedResponse) => void, reject: (error: unknown) => void) {
    this.#handler = handler;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  async follow(handle: () => unknown): Promise<void> {
    try {
      await handle();
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#hasReturned = true;
    if (this.#hasFailed) return; // a timer would only keep the process alive
    if (this.#response !== undefined) this.#resolve(this.#response);
    else this.#timer = setTimeout(() => this.#giveUp(), timeToRespondMs);
  }

  readonly record = (response: RecordedResponse): void => {
    this.#response = response;
    if (!this.#hasReturned) return; // what it still does may fail
    clearTimeout(this.#timer);
    this.#resolve(response);
  };

  readonly refuse = (reason: string): void => {
    this.#fail(new PerdureError('HANDLER_UNSUPPORTED', { handler: this.#handler, reason }));
  };

  readonly next = (error?: unknown): void => {
    if (error !== undefined && error !== 'route' && error !== 'router') this.#fail(error);
    else
      this.refuse(
        'it calls next() to leave the response to another handler, which would not run again after a crash; respond here',
      );
  };

  #giveUp(): void {
    this.refuse(`it has returned and not ended its response for ${timeToRespondMs} ms`);
  }

  #fail(error: unknown): void {
    this.#hasFailed = true;
    clearTimeout(this.#timer);
    this.#reject(error);
  }
}

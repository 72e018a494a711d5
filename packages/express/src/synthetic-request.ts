// The request that a durable handler sees: made from the recorded one, live and after a crash alike. No socket is behind it.

import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Express, Request } from 'express';
import type { StoredRequest } from './stored-request.js';

/** Makes the request of a run. `refuse` hears of attempts to read it as a stream. */
export type MakeRequest = (stored: StoredRequest, refuse: (reason: string) => void) => Request;

/** How requests of an application are made, with the methods that Express gives them. */
export function requestMaker(app: Express): MakeRequest {
  class SyntheticRequest extends IncomingMessage {
    readonly #refuse: (reason: string) => void;
    readonly originalUrl: string;
    readonly baseUrl: string;
    readonly params: unknown;
    readonly body: unknown;
    // Express computes these from the socket and the headers, or from the URL with settings that earlier middleware may have changed.
    readonly query: unknown;
    readonly protocol: string;
    readonly host: string | undefined;
    readonly hostname: string | undefined;
    readonly ip: undefined;
    readonly ips: readonly string[];

    constructor(stored: StoredRequest, refuse: (reason: string) => void) {
      super(new Socket());
      this.#refuse = refuse;
      this.method = stored.method;
      this.url = stored.url;
      this.headers = { ...stored.headers };
      this.originalUrl = stored.originalUrl;
      this.baseUrl = stored.baseUrl;
      this.params = stored.params;
      this.body = stored.body;
      this.query = stored.query;
      this.protocol = stored.protocol;
      this.hostname = stored.hostname;
      // As Express has it: where the name is not that of the Host header, it is that of a proxy.
      this.host = stored.host?.replace(/:\d+$/, '') === stored.hostname ? stored.host : stored.hostname;
      this.ips = [];
      for (const [name, value] of Object.entries(stored.properties)) {
        Object.defineProperty(this, name, { value, writable: true, configurable: true, enumerable: true });
      }
    }

    override _read(): void {
      this.#refuse(
        'it reads the request as a stream, which is not recorded; use req.body, which a parser before it has filled',
      );
    }
  }
  // Once per application: to change the prototype of each request costs more than the rest of it.
  Object.setPrototypeOf(SyntheticRequest.prototype, app.request);
  return (stored, refuse) => asRequest(new SyntheticRequest(stored, refuse));
}

function asRequest(message: IncomingMessage): Request {
  return message as Request; // by its prototype
}

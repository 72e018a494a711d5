// The request that a durable handler sees: made from the recorded one, live and after a crash alike. No socket is behind it.

import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Express, Request } from 'express';
import type { StoredRequest } from './stored-request.js';

/** What a request needs besides what is recorded of it. */
interface Surroundings {
  readonly app: Express;
  /** Hears of what cannot be recorded. */
  readonly refuse: (reason: string) => void;
}

/** A request of the application, with the methods that Express gives it. */
export function syntheticRequest({ app, refuse }: Surroundings, stored: StoredRequest): Request {
  const message = new IncomingMessage(new Socket());
  message.method = stored.method;
  message.url = stored.url;
  message.headers = { ...stored.headers };
  message.rawHeaders = Object.entries(stored.headers).flatMap(([header, value]) =>
    [value ?? ''].flat().flatMap((each) => [header, each]),
  );
  message._read = () => {
    refuse(
      'it reads the request as a stream, which is not recorded; use req.body, which a parser before it has filled',
    );
  };
  const own = {
    ...stored.properties,
    originalUrl: stored.originalUrl,
    baseUrl: stored.baseUrl,
    params: stored.params,
    // Express computes these from the socket and the headers, or from the URL with settings that earlier middleware may have changed.
    query: stored.query,
    protocol: stored.protocol,
    host: stored.host,
    hostname: stored.host?.replace(/:\d+$/, ''),
    ip: undefined,
    ips: [],
    body: stored.body,
  };
  for (const [property, value] of Object.entries(own)) {
    Object.defineProperty(message, property, { value, writable: true, configurable: true, enumerable: true });
  }
  return Object.setPrototypeOf(message, app.request) as Request;
}

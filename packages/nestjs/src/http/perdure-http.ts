// The protocol behind a controller: turns the framework's request into a Request, and sends the Response.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { OnModuleDestroy } from '@nestjs/common';
import { createHttpHandler, requestFromNode, sendToNode, type HttpHandler } from '@perdure/http';
import type { Engine } from 'perdure';
import type { PerdureHttpOptions } from './options.js';
import { revealType } from './unread-bodies.js';

/** A request of Express, or one of Fastify. */
export type FrameworkRequest = IncomingMessage & { readonly originalUrl?: string; readonly raw?: IncomingMessage };

/** An answer of Express, or one of Fastify. */
export type FrameworkResponse = ServerResponse & {
  readonly raw?: ServerResponse;
  hijack?(): void;
};

/** Serves requests. */
export class PerdureHttp implements OnModuleDestroy {
  readonly #handler: HttpHandler;
  readonly #principal: PerdureHttpOptions['principal'];
  readonly #path: string;

  constructor(engine: Engine, { principal, ...options }: PerdureHttpOptions, path: string) {
    this.#handler = createHttpHandler(engine, options);
    this.#principal = principal;
    this.#path = path;
  }

  async serve(request: FrameworkRequest, response: FrameworkResponse): Promise<void> {
    const message = request.raw ?? request;
    const target = response.raw ?? response;
    revealType(message);
    keepHeaders(response, target);
    const gone = new AbortController();
    target.once('close', () => gone.abort());
    const url = request.originalUrl ?? message.url ?? '/';
    const principal = this.#principal?.(request as never);
    const made = requestFromNode(message, { signal: gone.signal, url });
    await sendToNode(await this.#handler(made, { principal, basePath: this.#basePath(url) }), target);
  }

  /** Ends open streams of events: the server would wait for them. */
  async onModuleDestroy(): Promise<void> {
    await this.#handler.close();
  }

  // What stands before the path is the application's prefix and version.
  #basePath(url: string): string {
    const at = url.indexOf(`/${this.#path}/`);
    return url.slice(0, Math.max(0, at)) + `/${this.#path}`;
  }
}

// What plugins of Fastify have put on its answer, for CORS for instance, is not on that of node:http yet.
function keepHeaders(response: FrameworkResponse, target: ServerResponse): void {
  if (response.hijack === undefined) return;
  response.hijack();
  for (const [name, value] of Object.entries(response.getHeaders()))
    if (value !== undefined) target.setHeader(name, value);
}

// The protocol reads bodies itself: with its own limit, byte by byte for signatures, and with problem details for what is no JSON. But
// Nest's parsers stand before every route. So requests to the protocol pass them under a content type that none of them reads, and
// get their own back in the controller.

import type { IncomingMessage } from 'node:http';
import type { HttpAdapterHost } from '@nestjs/core';

const unreadType = 'application/x-perdure-unread';
const ownType: unique symbol = Symbol('the content type that the client has sent');

type Marked = IncomingMessage & { [ownType]?: string | undefined };

/** The part of a Fastify server that is used. */
interface Fastify {
  addHook(
    name: 'onRequest',
    hook: (request: { raw: IncomingMessage }, reply: unknown, done: () => void) => void,
  ): unknown;
  addContentTypeParser(
    type: string,
    parser: (request: unknown, payload: unknown, done: (error: null, body: unknown) => void) => void,
  ): unknown;
  hasContentTypeParser(type: string): boolean;
}

/** Keeps parsers from requests below a path. To be called before the application adds its parsers, in a constructor. */
export function keepBodiesUnread({ httpAdapter }: HttpAdapterHost, path: string): void {
  if (httpAdapter === undefined || httpAdapter === null) return; // an application without HTTP
  if (httpAdapter.getType() !== 'fastify') {
    httpAdapter.use((request: IncomingMessage, _response: unknown, next: () => void) => {
      if (isBelow(request, path)) hideType(request);
      next();
    });
    return;
  }
  const fastify: Fastify = httpAdapter.getInstance();
  fastify.addHook('onRequest', ({ raw }, _reply, done) => {
    if (isBelow(raw, path) && mayHaveBody(raw)) hideType(raw);
    done();
  });
  // Whoever gets it reads it.
  if (!fastify.hasContentTypeParser(unreadType))
    fastify.addContentTypeParser(unreadType, (_request, payload, done) => done(null, payload));
}

/** Gives a message the content type back that its client has sent. */
export function revealType(message: Marked): void {
  if (!(ownType in message)) return;
  const sent = message[ownType];
  if (sent === undefined) delete message.headers['content-type'];
  else message.headers['content-type'] = sent;
}

function hideType(message: Marked): void {
  message[ownType] = message.headers['content-type'];
  message.headers['content-type'] = unreadType;
}

function mayHaveBody({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

function isBelow({ url = '' }: IncomingMessage, path: string): boolean {
  return url.split('?', 1)[0]?.includes(`/${path}/`) === true;
}

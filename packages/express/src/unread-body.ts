// Bodies that nobody has read: recorded as they are, they would be lost without a word.

import type { Request } from 'express';
import { PerdureError } from 'perdure';

/** Throws BODY_TYPE_UNSUPPORTED, or HANDLER_UNSUPPORTED where a parser is missing, if the request has a body that no parser has taken. */
export function refuseUnreadBody(req: Request, handler: string): void {
  const hasBody = Number(req.headers['content-length'] ?? 0) > 0 || req.headers['transfer-encoding'] !== undefined;
  if (!hasBody || req.readableEnded || isParsed(req.body)) return;
  const contentType = req.get('content-type') ?? 'application/octet-stream';
  if (req.is('json') === false) throw new PerdureError('BODY_TYPE_UNSUPPORTED', { contentType });
  const reason = 'nothing has read its JSON body, and a stream cannot be recorded; put express.json() before it';
  throw new PerdureError('HANDLER_UNSUPPORTED', { handler, reason });
}

// The parsers of Express 4 leave an empty object where they have not read anything.
function isParsed(body: unknown): boolean {
  return body !== undefined && !(typeof body === 'object' && body !== null && Object.keys(body).length === 0);
}

// Sends a recorded response over a live connection, the first time and every time after.

import type { Response } from 'express';
import type { RecordedResponse } from './captured-response.js';

/**
 * Sends it, unless another answer was sent meanwhile. Headers that earlier middleware has set stay, unless the recorded response has them
 * too; cookies of both are sent.
 */
export function sendRecorded(
  res: Response,
  recorded: RecordedResponse,
  { isReplay }: { readonly isReplay: boolean },
): void {
  if (res.headersSent) return;
  res.statusCode = recorded.status;
  if (recorded.statusMessage !== undefined) res.statusMessage = recorded.statusMessage;
  for (const [name, value] of Object.entries(recorded.headers)) {
    if (name === 'set-cookie') res.appendHeader(name, value);
    else if (name === 'vary' && typeof value === 'string') res.vary(value);
    else res.setHeader(name, value);
  }
  if (isReplay) res.setHeader('idempotency-replayed', 'true');
  res.end(recorded.body);
}

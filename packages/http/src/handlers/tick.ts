// GET or POST /tick: work for hosts whose processes live only as long as requests. A timer outside sends it.

import { createHash, timingSafeEqual } from 'node:crypto';
import { PerdureError } from 'perdure';
import { bearerOf } from '../authorize.js';
import { jsonResponse, notFound, type Call } from '../call.js';

/** Runs what is due, for as long as the budget lasts. Guarded by a secret; without one there is no such route. */
export async function tick(call: Call): Promise<Response> {
  const { settings, engine, request } = call;
  if (settings.tickSecret === undefined) throw notFound(call);
  const given = bearerOf(request);
  if (given === undefined || !isSame(given, settings.tickSecret)) {
    throw new PerdureError('REQUEST_UNAUTHENTICATED', { action: 'tick' });
  }
  return jsonResponse(JSON.stringify(await engine.drive({ budget: settings.tickBudget })));
}

// Digests have one length, so that comparing takes the same time for every guess.
function isSame(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

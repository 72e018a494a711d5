// POST /runs/:id/topics/:topic

import { authorizeRun, principalOf } from '../authorize.js';
import { parseBody, readRawBody } from '../body.js';
import { jsonResponse, notFound, paramOf, type Call } from '../call.js';
import { readIdempotencyKey, scopedKey } from '../idempotency-key.js';
import { refuseCrossSite } from '../same-site.js';

/** Sends the body to a mailbox of the run. With an Idempotency-Key it arrives once, however often it is sent. */
export async function sendMessage(call: Call): Promise<Response> {
  const { settings, engine, request, info, url } = call;
  refuseCrossSite(request, settings.origins);
  const name = paramOf(call, 'topic');
  const rawBody = await readRawBody(request, info, settings.bodyLimit);
  const { run, exposed } = await authorizeRun(call, { action: 'send', topic: name, rawBody });
  const topic = exposed.topics?.find((candidate) => candidate.name === name);
  if (topic === undefined) throw notFound(call);
  const key = readIdempotencyKey(request);
  const dedup = key === undefined ? {} : { dedupKey: scopedKey(key, `POST ${url.pathname}`, await principalOf(call)) };
  await engine.send(run.id, topic, parseBody(rawBody, request, info), dedup);
  return jsonResponse(JSON.stringify({ run: run.id, topic: name }), { status: 202 });
}

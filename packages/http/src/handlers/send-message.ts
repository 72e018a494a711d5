// POST /runs/:id/topics/:topic

import type { SendOptions } from 'perdure';
import { authorizeRun, principalOf } from '../authorize.js';
import { parseBody, readRawBody } from '../body.js';
import { jsonResponse, notFound, paramOf, type Call } from '../call.js';
import { fingerprint } from '../fingerprint.js';
import { readIdempotencyKey, scopedKey } from '../idempotency-key.js';
import { refuseCrossSite } from '../same-site.js';

/** Sends the body to a mailbox of the run. With an Idempotency-Key it arrives once, however often it is sent; another message with the key is refused. */
export async function sendMessage(call: Call): Promise<Response> {
  const { settings, engine, request, info } = call;
  refuseCrossSite(request, settings.origins);
  const name = paramOf(call, 'topic');
  const rawBody = await readRawBody(request, info, settings.bodyLimit);
  const { run, exposed } = await authorizeRun(call, { action: 'send', topic: name, rawBody });
  const topic = exposed.topics?.find((candidate) => candidate.name === name);
  if (topic === undefined) throw notFound(call);
  const body = parseBody(rawBody, request, info);
  await engine.send(run.id, topic, body, await onceOf(call, body));
  return jsonResponse(JSON.stringify({ run: run.id, topic: name }), { status: 202 });
}

async function onceOf(call: Call, body: unknown): Promise<SendOptions> {
  const key = readIdempotencyKey(call.request);
  if (key === undefined) return {};
  const { pathname: path } = call.url;
  return {
    dedupKey: scopedKey(key, `POST ${path}`, await principalOf(call)),
    fingerprint: fingerprint({ method: 'POST', path, body }),
  };
}

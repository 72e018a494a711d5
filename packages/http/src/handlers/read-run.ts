// GET /runs/:id

import { isFinal, type RunInfo } from 'perdure';
import { authorizeRun } from '../authorize.js';
import { jsonResponse, type Call } from '../call.js';
import { toJsonText } from '../plain-json.js';
import { parsePrefer } from '../prefer.js';
import { viewOf } from '../run-view.js';
import { waitForOutcome } from '../wait-for-outcome.js';

/** The run as it stands or, with `Prefer: wait=<seconds>`, as soon as it is over. */
export async function readRun(call: Call): Promise<Response> {
  const { settings, request } = call;
  const { run: found } = await authorizeRun(call, { action: 'read' });
  const { waitSeconds = 0 } = parsePrefer(request.headers.get('prefer'));
  const waitMs = Math.min(waitSeconds * 1_000, settings.maxWaitMs);
  const run = waitMs > 0 && !isFinal(found.status) ? await whenOver(call, found, waitMs) : found;
  const headers: Record<string, string> = {
    ...(isFinal(run.status) ? {} : { 'retry-after': '1' }),
    ...(waitSeconds > 0 ? { 'preference-applied': `wait=${Math.floor(waitMs / 1_000)}` } : {}),
  };
  return jsonResponse(toJsonText(viewOf(run, settings.showErrors)), { headers });
}

async function whenOver({ engine, request }: Call, run: RunInfo, waitMs: number): Promise<RunInfo> {
  await waitForOutcome(engine, engine.getHandle(run.id), { waitMs, signal: request.signal });
  return (await engine.runs.get(run.id)) ?? run;
}

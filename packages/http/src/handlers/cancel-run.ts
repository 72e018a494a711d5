// POST /runs/:id/cancel

import { authorizeRun } from '../authorize.js';
import { jsonResponse, notFound, type Call } from '../call.js';
import { toJsonText } from '../plain-json.js';
import { viewOf } from '../run-view.js';
import { refuseCrossSite } from '../same-site.js';

/** Cancels a run whose workflow allows it, and shows it. A run that is over stays as it is: safe to repeat. */
export async function cancelRun(call: Call): Promise<Response> {
  const { settings, engine, request } = call;
  refuseCrossSite(request, settings.origins);
  const { run, exposed } = await authorizeRun(call, { action: 'cancel' });
  if (exposed.cancel !== true) throw notFound(call);
  await engine.runs.cancel(run.id);
  const now = (await engine.runs.get(run.id)) ?? run;
  return jsonResponse(toJsonText(viewOf(now, settings.showErrors)));
}

// POST /start/:workflow

import { validate } from 'perdure';
import { authorizeStart, mayRead, principalOf, requireStartable } from '../authorize.js';
import { parseBody, readRawBody } from '../body.js';
import { paramOf, type Call } from '../call.js';
import { refuseCrossSite } from '../same-site.js';
import { startFromRequest } from '../start-from-request.js';

/** Starts a run of a workflow that is exposed, with the body as its input. */
export async function startRun(call: Call): Promise<Response> {
  const { settings, engine, request, info, basePath } = call;
  refuseCrossSite(request, settings.origins);
  const exposed = requireStartable(call);
  const name = paramOf(call, 'workflow');
  const raw = await readRawBody(request, info, settings.bodyLimit);
  await authorizeStart(call, name, raw);
  const body = parseBody(raw, request, info);
  const what = `the input of workflow "${name}"`;
  // Its type is what the exposure was checked for when it was written down.
  const input = (exposed.input === undefined ? body : await validate(exposed.input, body, what)) as never;
  return startFromRequest<never>(engine, {
    workflow: exposed.workflow,
    input,
    request,
    body: body ?? null,
    principal: await principalOf(call),
    options: await exposed.options?.(input, request),
    basePath,
    idempotency: settings.idempotency,
    maxWait: settings.maxWaitMs,
    mayLearn: (id) => mayRead(call, id),
    showErrors: settings.showErrors,
  });
}

// A route whose requests start runs of a workflow.

import { answerStart, type StartAnswer } from '@perdure/http';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { describeWorkflow, PerdureError, refuseUnknown, type Startable, type StartOptions } from 'perdure';
import { answerProblem } from './answer-problem.js';
import { requireTools } from './request-tools.js';
import { toStartingRequest } from './to-web-request.js';
import { refuseUnreadBody } from './unread-body.js';

/** Options of a route that starts runs. */
export interface StartRouteOptions<Input> {
  /** The input of the run. Default: the parsed body. The workflow's schema checks it either way. */
  readonly input?: (req: Request) => Input | Promise<Input>;
  /** The run's id: the same id again is the same run. Default: a new one, or the one that the Idempotency-Key stands for. */
  readonly id?: (req: Request) => string;
  /** Where and when the run is started. */
  readonly options?: Omit<StartOptions, 'id'> | ((req: Request) => Omit<StartOptions, 'id'>);
}

/**
 * A handler that starts a run of `workflow` per request and answers with 202 and its Location, or, if the client sends
 * `Prefer: wait=<seconds>` and the run ends in time, with 200 and its outcome. A repeated Idempotency-Key gets the first request's run.
 * What the client did wrong is answered with problem details; the rest goes to the application's error middleware. Throws OPTION_INVALID.
 *
 * @example
 * app.post('/reminders', startRoute(scheduleReminder, { id: (req) => `reminder-${req.body.id}` }));
 */
export function startRoute<Input>(
  workflow: Startable<Input, unknown>,
  options: StartRouteOptions<NoInfer<Input>> = {},
): RequestHandler {
  const { name } = describeWorkflow(workflow);
  checkOptions(options);
  const serve = async (req: Request, res: Response): Promise<void> => {
    const { mount, basePath, engine } = requireTools(req, `startRoute(${name})`);
    if (options.input === undefined) refuseUnreadBody(req, `startRoute(${name})`);
    const input = options.input === undefined ? (req.body as Input) : await options.input(req);
    const chosen = typeof options.options === 'function' ? options.options(req) : options.options;
    const answer = await answerStart(engine, {
      workflow,
      input,
      request: toStartingRequest(req, res),
      body: req.body,
      principal: mount.principal?.(req),
      options: { ...chosen, ...(options.id !== undefined && { id: options.id(req) }) },
      basePath,
      idempotency: mount.idempotency,
      maxWait: mount.maxWaitMs,
      showErrors: mount.showErrors,
    });
    send(answer, res);
  };
  return (req: Request, res: Response, next: NextFunction): void => {
    serve(req, res)
      .catch((error: unknown) => answerProblem(error, res))
      .catch(next);
  };
}

const known: Readonly<Record<keyof StartRouteOptions<unknown>, true>> = { input: true, id: true, options: true };

function checkOptions<Input>(options: StartRouteOptions<Input>): void {
  refuseUnknown(options, known, 'start routes');
  for (const [option, value] of Object.entries({ input: options.input, id: options.id }))
    if (value !== undefined && typeof value !== 'function')
      throw new PerdureError('OPTION_INVALID', { option, value, reason: 'give a function of the request' });
}

// Not by send() of Express, which would look for what the answer says already.
function send({ status, headers, body }: StartAnswer, res: Response): void {
  if (res.headersSent || res.destroyed) return;
  res.statusCode = status;
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  res.end(body);
}

// Who tells the client of an error: what the client did wrong is answered here, the rest is the application's to answer.

import { problemFor } from '@perdure/http';
import type { ErrorRequestHandler, Response } from 'express';
import { consoleLogger, isPerdureError, refuseUnknown, type Logger } from 'perdure';

/** Answers with problem details. Throws what the error middleware is for, with the status that it deserves. */
export function answerProblem(error: unknown, res: Response): void {
  if (!isPerdureError(error)) throw error;
  if (error.httpStatus >= 500) throw Object.assign(error, { status: error.httpStatus });
  const { status, headers, problem } = problemFor(error);
  res.status(status).set(headers).send(JSON.stringify(problem));
}

/** Options of the error middleware. */
export interface ProblemOptions {
  /** Tells clients the messages of all codes, also those that speak of the inside of the application. Default: false. */
  readonly showErrors?: boolean;
  /** Hears of requests that ended with an error of the server. Default: the console. */
  readonly logger?: Logger;
}

/**
 * Error middleware that answers every PerdureError with its status and problem details (RFC 9457), and leaves other errors to the
 * middleware after it. Mount it after the routes. Throws OPTION_INVALID.
 *
 * @example
 * app.use(problemDetails());
 */
export function problemDetails(options: ProblemOptions = {}): ErrorRequestHandler {
  refuseUnknown(options, { showErrors: true, logger: true }, 'answers to errors');
  const { showErrors = false, logger } = options;
  const log = logger ?? consoleLogger();
  return (error: unknown, req, res, next) => {
    if (!isPerdureError(error) || res.headersSent) {
      next(error);
      return;
    }
    const { status, headers, problem } = problemFor(error);
    if (status >= 500) {
      const fields = { err: error, method: req.method, path: req.path };
      log[status === 503 ? 'warn' : 'error'](fields, 'a request could not be answered');
    }
    const detail = showErrors ? error.message.slice(error.code.length + 2) : problem.detail;
    res
      .status(status)
      .set(headers)
      .send(JSON.stringify({ ...problem, detail }));
  };
}

// Who tells the client of an error: what the client did wrong is answered here, the rest is the application's to answer.

import { isWorthLogging, problemFor } from '@perdure/http';
import type { ErrorRequestHandler, Response } from 'express';
import { consoleLogger, isPerdureError, refuseUnknown, type Logger } from 'perdure';

const unanswered = 'a request could not be answered';

/** Answers with problem details. Throws what the error middleware is for, with the status that it deserves. */
export function answerProblem(error: unknown, res: Response): void {
  if (!isPerdureError(error)) throw error;
  if (error.httpStatus >= 500) throw Object.assign(error, { status: error.httpStatus });
  const { status, headers, problem } = problemFor(error);
  if (isWorthLogging(error)) {
    const { req } = res;
    req.perdure.mount.logger.warn({ err: error, method: req.method, path: req.path }, unanswered);
  }
  res.status(status).set(headers).send(JSON.stringify(problem));
}

/** Options of the error middleware. */
export interface ProblemOptions {
  /** Tells clients the messages of all codes, also those that speak of the inside of the application. Default: false. */
  readonly showErrors?: boolean;
  /** Hears of requests that ended with an error of the server, or with options of a start that cannot be. Default: the console. */
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
    if (isWorthLogging(error)) {
      const fields = { err: error, method: req.method, path: req.path };
      log[status >= 500 && status !== 503 ? 'error' : 'warn'](fields, unanswered);
    }
    const detail = showErrors ? error.message.slice(error.code.length + 2) : problem.detail;
    res
      .status(status)
      .set(headers)
      .send(JSON.stringify({ ...problem, detail }));
  };
}

// What perdure throws in a controller becomes problem details with its code.

import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { problemFor } from '@perdure/http';
import { PerdureError } from 'perdure';

/** The part of an answer of Express, or of Fastify, that is used. */
interface Answer {
  status(status: number): this;
  /** Fastify's. */
  headers?(headers: Readonly<Record<string, string>>): this;
  /** Express's. */
  set?(headers: Readonly<Record<string, string>>): this;
  send(text: string): unknown;
}

/**
 * Answers requests that end with an error of perdure with problem details (RFC 9457): 409 for RUN_EXISTS, 422 for INPUT_INVALID with every
 * fault, and so on; 500 for a result that cannot be recorded, as that is no fault of the request. Other errors are left to others, also those
 * that a step threw: what a run failed with, such as a 404 of another service, is seldom what the request should be told.
 *
 * @example
 * providers: [{ provide: APP_FILTER, useClass: PerdureExceptionFilter }]
 */
@Catch(PerdureError)
export class PerdureExceptionFilter implements ExceptionFilter<PerdureError> {
  catch(error: PerdureError, context: ArgumentsHost): void {
    if (context.getType() !== 'http') throw error;
    const { status, headers, problem } = problemFor(error);
    const answer = context.switchToHttp().getResponse<Answer>().status(status);
    answer.headers?.(headers);
    answer.set?.(headers);
    answer.send(JSON.stringify(problem));
  }
}

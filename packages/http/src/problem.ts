// Errors as answers: problem details (RFC 9457) with our code. Every refusal of every route and adapter is made here.

import { isPerdureError, type ErrorCode, type InputIssue, type PerdureError } from 'perdure';

/** A problem as RFC 9457 describes it, as JSON. */
export interface Problem {
  /** A URI that names the kind of problem: `urn:perdure:error:` and the code. */
  readonly type: string;
  /** The kind in words: the same for every occurrence. */
  readonly title: string;
  readonly status: number;
  /** This occurrence in words. Left out where it would tell of the inside of the application. */
  readonly detail?: string;
  /** What callers match on. */
  readonly code: string;
  /** What is wrong with the input, each with a JSON pointer into it. */
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

/** A problem, and the headers of the answer that carries it. */
export interface ProblemAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly problem: Problem;
}

// Their messages hold nothing but what the caller has sent or may know; those of other codes can name hosts, tables, steps,
// workflows that are not exposed, the origins that are trusted.
const speakingCodes = new Set<string>([
  'ROUTE_NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'BODY_NOT_JSON',
  'BODY_TOO_LARGE',
  'BODY_TYPE_UNSUPPORTED',
  'HEADER_INVALID',
  'IDEMPOTENCY_KEY_MISSING',
  'IDEMPOTENCY_KEY_REUSED',
  'REQUEST_UNAUTHENTICATED',
  'REQUEST_FORBIDDEN',
  'INPUT_INVALID',
  'PAYLOAD_TOO_LARGE',
  'RUN_ID_INVALID',
  'RUN_EXISTS',
  'RUN_NOT_FOUND',
  'RUN_STATE_CONFLICT',
  'NAME_INVALID',
  'ENGINE_CLOSED',
] satisfies ErrorCode[]);

// The application chooses queues, options and ids of starts; clients are not told what is wrong with them.
const codesOfApplication = new Set<string>([
  'OPTION_INVALID',
  'DURATION_INVALID',
  'QUEUE_UNKNOWN',
  'WORKFLOW_UNKNOWN',
] satisfies ErrorCode[]);

/**
 * Whether somebody has to be told of an error because the answer does not tell it: a fault of the server, or a start with options that
 * cannot be, which looks like the client's fault and is the application's. For adapters, which log it.
 *
 * @example
 * if (isWorthLogging(error)) logger.warn({ err: error }, 'a request could not be answered');
 */
export function isWorthLogging(error: unknown): boolean {
  return !isPerdureError(error) || error.httpStatus >= 500 || codesOfApplication.has(error.code);
}

/**
 * The answer to a request that ended with `error`: the status and message of a PerdureError, and 500 without a message for everything
 * else, so that nothing of the application's inside is told.
 *
 * @example
 * const { status, headers, problem } = problemFor(error);
 * res.status(status).set(headers).send(JSON.stringify(problem));
 */
export function problemFor(error: unknown): ProblemAnswer {
  const { code, status, detail, errors } = isPerdureError(error) ? factsOf(error) : unknownError;
  const headers: Record<string, string> = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' };
  if (isPerdureError(error, 'METHOD_NOT_ALLOWED')) headers['allow'] = allowedMethods(error.details['allowed']);
  if (status === 401) headers['www-authenticate'] = 'Bearer';
  if (status === 503) headers['retry-after'] = '1';
  const problem: Problem = {
    type: `urn:perdure:error:${code}`,
    title: titleOf(code),
    status,
    ...(detail === undefined ? {} : { detail }),
    code,
    ...(errors === undefined ? {} : { errors }),
  };
  return { status, headers, problem };
}

/** `problemFor`, as a Response. */
export function problemResponse(error: unknown): Response {
  const { status, headers, problem } = problemFor(error);
  return new Response(JSON.stringify(problem), { status, headers });
}

interface Facts {
  readonly code: string;
  readonly status: number;
  readonly detail?: string | undefined;
  readonly errors?: Problem['errors'] | undefined;
}

const unknownError: Facts = { code: 'INTERNAL_ERROR', status: 500 };

function factsOf(error: PerdureError): Facts {
  const { code, httpStatus: status, message } = error;
  if (isOfResult(error)) return { code, status: 500 };
  const detail = speakingCodes.has(code) ? message.slice(code.length + 2) : undefined;
  const { issues } = error.details;
  const errors = code === 'INPUT_INVALID' && Array.isArray(issues) ? issues.filter(isIssue).map(toError) : undefined;
  return { code, status, detail, errors };
}

// What a run or a step returned cannot be recorded: that is the fault of its code, not of the request that waits for the run.
function isOfResult({ code, details }: PerdureError): boolean {
  return (code === 'PAYLOAD_TOO_LARGE' || code === 'UNSERIALIZABLE') && details['isResult'] === true;
}

function isIssue(value: unknown): value is InputIssue {
  return typeof value === 'object' && value !== null && 'message' in value && 'path' in value;
}

function toError({ pointer = '#', message }: InputIssue): { pointer: string; detail: string } {
  return { pointer, detail: message };
}

function allowedMethods(allowed: unknown): string {
  return Array.isArray(allowed) ? allowed.join(', ') : '';
}

// IDEMPOTENCY_KEY_REUSED: Idempotency key reused
function titleOf(code: string): string {
  const words = code.toLowerCase().replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

// The end of a process that serves requests, in the order in which nobody loses anything: streams of events end, because they would
// keep the server open; the server takes nothing new and answers what it has; the engine hands over its runs.

import type { Server } from 'node:http';
import { inspect } from 'node:util';
import { parseDuration, PerdureError, refuseUnknown, type Duration } from 'perdure';
import type { Perdure } from './perdure.js';

/** Options of a shutdown. */
export interface ShutdownOptions {
  /** How long requests and then steps may take, together. Default: 25s, as Kubernetes gives 30. */
  readonly timeout?: Duration;
  /** What else is to be closed, after the engine: pools, connections. */
  readonly close?: () => unknown;
}

// To record what has ended, and to hand over the rest.
const leastForEngineMs = 1_000;

/** Options of a shutdown at a signal. */
export interface SignalOptions extends ShutdownOptions {
  /** Default: SIGTERM and SIGINT. */
  readonly signals?: readonly NodeJS.Signals[];
}

/**
 * Closes a server, the streams of events of its application, and then the engine. Requests that are being served get their answers;
 * unfinished runs go on elsewhere. Does not end the process. Throws OPTION_INVALID, DURATION_INVALID.
 *
 * @example
 * afterAll(() => shutDown(server, durable));
 */
export async function shutDown(server: Server, perdure: Perdure, options: ShutdownOptions = {}): Promise<void> {
  const { timeoutMs, close } = checkShutdown(server, perdure, options);
  const until = performance.now() + timeoutMs;
  await Promise.all([perdure.close(), closeServer(server, timeoutMs)]);
  await perdure.engine.close({ timeout: Math.max(leastForEngineMs, until - performance.now()) });
  await close?.();
}

// The longest that a timer of Node can be set for, 24.8 days: a longer one fires at once.
const longestTimerMs = 2 ** 31 - 1;

// When the process is told to end, it is too late to find out that an application was passed for its server.
function checkShutdown(
  server: Server,
  perdure: Perdure,
  options: ShutdownOptions,
): { readonly timeoutMs: number; readonly close: ShutdownOptions['close'] } {
  const [given, middleware]: [Partial<Server> | undefined, Partial<Perdure> | undefined] = [server, perdure];
  if (typeof given?.closeIdleConnections !== 'function')
    throw invalid('server', server, 'give the server of node:http, as app.listen() returns it');
  if (middleware?.engine === undefined) throw invalid('perdure', perdure, 'give what perdure(engine) returns');
  refuseUnknown(options, { timeout: true, close: true }, 'shutdowns');
  const { timeout = '25s', close } = options;
  if (close !== undefined && typeof close !== 'function') throw invalid('close', close, 'give a function');
  return { timeoutMs: Math.min(parseDuration(timeout, 'timeout'), longestTimerMs), close };
}

function invalid(option: string, value: unknown, reason: string): PerdureError {
  return new PerdureError('OPTION_INVALID', { option, value, reason });
}

/** Resolves when all requests have been answered, or their time is up. */
async function closeServer(server: Server, timeoutMs: number): Promise<void> {
  // A connection that is kept alive after its last answer would hold the server open for seconds.
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  let grace: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve) => {
      grace = setTimeout(resolve, timeoutMs);
      server.close(() => resolve());
    });
  } finally {
    clearInterval(idle);
    clearTimeout(grace);
    server.closeAllConnections();
  }
}

/**
 * Shuts down at SIGTERM and SIGINT, and then ends the process: with 0, or with 1 if something could not be closed. A second signal ends
 * it at once. Calling this is how an application asks for that; nothing else in perdure ends a process. Throws OPTION_INVALID,
 * DURATION_INVALID.
 *
 * @example
 * const server = app.listen(3000);
 * gracefulShutdown(server, durable, { close: () => pool.end() });
 */
export function gracefulShutdown(
  server: Server,
  perdure: Perdure,
  { signals = ['SIGTERM', 'SIGINT'], ...options }: SignalOptions = {},
): void {
  checkShutdown(server, perdure, options);
  let isClosing = false;
  const onSignal = (): void => {
    if (isClosing) endProcess(1);
    isClosing = true;
    shutDown(server, perdure, options).then(
      () => endProcess(0),
      (error: unknown) => {
        process.stderr.write(`${inspect(error)}\n`);
        endProcess(1);
      },
    );
  };
  for (const signal of signals) process.on(signal, onSignal);
}

function endProcess(code: number): never {
  process.exit(code); // oxlint-disable-line unicorn/no-process-exit -- what the application has asked for
}

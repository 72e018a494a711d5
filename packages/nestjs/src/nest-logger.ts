// Nest's logger as that of the engine, and the other way round: what Nest's logger writes in a run, with that run.

import { Logger as NestLogger, type LoggerService } from '@nestjs/common';
import { findCurrentRun, findCurrentStep, type LogFields, type Logger } from 'perdure';

/** A logger for the engine that writes to one of Nest's: `message (runId=order-7 step=charge)`. */
export function nestLogger(service: LoggerService = new NestLogger('Perdure')): Logger {
  // Nest's own class adds the context by itself.
  const context = service instanceof NestLogger ? [] : ['Perdure'];
  return {
    debug: (fields, message) => void service.debug?.(inLine(message, fields), ...context),
    info: (fields, message) => void service.log(inLine(message, fields), ...context),
    warn: (fields, message) => void service.warn(inLine(message, fields), ...context),
    error: (fields, message) => void service.error(inLine(message, fields), stackOf(fields), ...context),
  };
}

/**
 * A logger of Nest that knows of runs: what is logged in workflow code and steps carries the run and the step, and in replay workflow
 * code is silent, so that a line appears once.
 *
 * @example
 * app.useLogger(withRuns(new ConsoleLogger()));
 */
export function withRuns(service: LoggerService): LoggerService {
  const write =
    (method: 'log' | 'error' | 'warn' | 'debug' | 'verbose' | 'fatal') =>
    (message: unknown, ...rest: unknown[]): void => {
      const run = findCurrentRun();
      if (run?.isReplaying === true) return;
      service[method]?.(run === undefined ? message : inRun(message, run.id), ...rest);
    };
  return {
    log: write('log'),
    error: write('error'),
    warn: write('warn'),
    debug: write('debug'),
    verbose: write('verbose'),
    fatal: write('fatal'),
    setLogLevels: (levels) => void service.setLogLevels?.(levels),
  };
}

/** Whether it is a logger as the engine takes it: Nest's have `log` in place of `info`. */
export function isEngineLogger(logger: Logger | LoggerService): logger is Logger {
  return 'info' in logger;
}

// An object stays one, for loggers that write JSON.
function inRun(message: unknown, runId: string): unknown {
  const step = findCurrentStep();
  const where = { runId, ...(step === undefined ? {} : { step: step.name, attempt: step.attempt }) };
  if (typeof message === 'string') return inLine(message, where);
  return typeof message === 'object' && message !== null && !Array.isArray(message)
    ? { ...message, ...where }
    : message;
}

function inLine(message: string, { err, ...fields }: LogFields): string {
  const known = err instanceof Error ? { ...fields, error: err.message } : fields;
  const told = Object.entries(known).filter(([, value]) => value !== undefined);
  const words = told.map(([name, value]) => `${name}=${wordOf(value)}`);
  return words.length === 0 ? message : `${message} (${words.join(' ')})`;
}

function wordOf(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"=()]+$/.test(value) ? value : JSON.stringify(value);
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value); // a cycle, a bigint
  }
}

function stackOf({ err }: LogFields): string | undefined {
  return err instanceof Error ? err.stack : undefined;
}

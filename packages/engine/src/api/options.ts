// What an engine is configured with: checked at once, every fault reported together.

import { longestTimerMs, parseDuration, type Duration } from '../values/duration.js';
import { isPerdureError, PerdureError } from '../values/errors.js';
import { checkName } from '../values/ids.js';
import { consoleLogger, silentLogger, type Logger } from '../values/logger.js';
import { checkFlag, refuseUnknown, requireList } from '../values/unknown-options.js';
import type { ConnectionConfig } from '../store/connection.js';
import { isReadable, type DatabaseOptions } from '../store/database.js';
import { checkSchedules, type Schedule } from './schedule.js';
import type { AroundStep } from '../run/around-step.js';
import type { ContextCarrier } from '../run/carried-context.js';
import { checkQueues, queueName, type Queue } from './queue.js';
import type { Step } from './step.js';
import type { WorkflowReference } from './workflow.js';

/** Options of an engine. Durations are milliseconds or text as `'10s'`. */
export interface EngineOptions {
  /** Connection string, driver configuration, or a pool of `pg`, whose configuration is used for connections of the engine's own. */
  readonly database: string | ConnectionConfig | { readonly options: ConnectionConfig } | undefined;
  /** A connection around a pooler in transaction mode, for notifications alone. Default: none; then such engines poll. */
  readonly directDatabase?: string | ConnectionConfig | undefined;
  /** The schema of the engine's tables. Default: `perdure`. */
  readonly schema?: string;
  /** What this process runs, or with contracts, starts. Default: nothing. */
  readonly workflows?: readonly WorkflowReference<never, unknown>[];
  /**
   * What this process declares to be started again and again, and serves. Applied at launch; pause and ticks survive.
   * One that is declared no more rests as soon as no process that declares it is left.
   */
  readonly schedules?: readonly Schedule[];
  /** The steps that this process runs when they are started on their own, by `engine.startStep`. Default: none. */
  readonly steps?: readonly Step<never, unknown>[];
  /** The queues that this process declares. Those that others declare are known to it as well. Default: none. */
  readonly queues?: readonly Queue[];
  /** The queues whose runs this process takes, or their names. Default: all queues in the database. */
  readonly serveQueues?: readonly (Queue | string)[];
  /** Default: the console, from level info. */
  readonly logger?: Logger;
  /** What goes along with the runs that are started, as tenant and user. Default: nothing. */
  readonly context?: ContextCarrier;
  /**
   * Stands around every attempt of a step: for tracing, or to put something else in its place in tests. What it returns or throws is
   * the attempt's result, so it calls the body, or does not. Transactional steps are not concerned. Default: none.
   */
  readonly aroundStep?: AroundStep;
  /** How long after its last sign of life an executor is declared dead. Default: 6s. From 500 ms to a day. */
  readonly lease?: Duration;
  /** How long a waiting run stays in memory. Default: 10s; of a driven engine, 250ms. */
  readonly parkAfter?: Duration;
  /** The longest wait between two looks for work. Default: 5s with notifications, 1s without. */
  readonly pollInterval?: Duration;
  /** Whether to use LISTEN and NOTIFY. Default: true. Without, everything works by polling. */
  readonly listen?: boolean;
  /** Whether launching may apply migrations. Default: true. Otherwise a missing one is SCHEMA_MISSING. */
  readonly migrate?: boolean;
  /**
   * Executes runs only while `engine.drive` is under way, for hosts that freeze or end processes between requests; what is started waits
   * until then. Default: false.
   */
  readonly driven?: boolean;
  /** How many runs are in memory at most. Default: 1,000. */
  readonly maxConcurrentRuns?: number;
  /** How often in a row the owner of a run may die, without the run getting further, before it fails with RUN_CRASH_LIMIT. Default: 100. */
  readonly maxRecoveries?: number;
  /** The largest input or result, in bytes. Default: 10 MiB. */
  readonly maxPayloadBytes?: number;
  /** Connections besides those of journal, heartbeat and listener. Default: 4. */
  readonly poolSize?: number;
}

/** Options of closing. */
export interface CloseOptions {
  /** How long executing steps may take to end. Then their signals fire and their runs are handed over. Default: 30s. */
  readonly timeout?: Duration;
}

/** Checked options. */
export interface Settings {
  readonly database: DatabaseOptions;
  readonly schedules: readonly Schedule[];
  readonly queues: readonly Queue[];
  readonly serveQueues: readonly string[] | undefined;
  readonly logger: Logger;
  readonly carrier: ContextCarrier | undefined;
  readonly aroundStep: AroundStep | undefined;
  readonly leaseMs: number;
  readonly parkAfterMs: number;
  readonly pollMs: number | undefined;
  readonly mayListen: boolean;
  readonly mayMigrate: boolean;
  readonly isDriven: boolean;
  readonly maxConcurrentRuns: number;
  readonly maxRecoveries: number;
  readonly maxPayloadBytes: number;
}

const longestLeaseMs = 24 * 3_600_000;
const mostCount = 2 ** 31 - 1; // of an int of Postgres

/** Checks the options of an engine. Throws CONFIG_INVALID with every fault. */
export function checkOptions(options: EngineOptions): Settings {
  const faults: string[] = [];
  const check = <T>(fallback: T, read: () => T): T => {
    try {
      return read();
    } catch (error) {
      faults.push(isPerdureError(error) ? error.message : String(error));
      return fallback;
    }
  };
  const duration = (value: Duration, option: string, leastMs: number): number =>
    check(0, () => within(parseDuration(value, option), [leastMs, Infinity], option));
  const count = (value: number, option: string, least = 1): number =>
    check(0, () => {
      if (!Number.isSafeInteger(value)) throw invalid(option, value, 'it is not a whole number');
      return within(value, [least, mostCount], option);
    });
  const flag = (value: boolean, option: string): boolean => check(false, () => checkFlag(value, option));
  const leaseMs = check(0, () => within(parseDuration(options.lease ?? '6s', 'lease'), [500, longestLeaseMs], 'lease'));
  const settings: Settings = {
    database: {
      connection: check('', () => connectionOf(options.database, 'database')),
      ...(options.directDatabase === undefined
        ? {}
        : { directConnection: check('', () => connectionOf(options.directDatabase, 'directDatabase')) }),
      schema: check('', () => checkSchema(options.schema ?? 'perdure')),
      poolSize: count(options.poolSize ?? 4, 'poolSize'),
      connectTimeoutMs: 10_000,
      silenceMs: Math.max(10_000, 5 * leaseMs),
      vitalSilenceMs: leaseMs,
    },
    schedules: check([], () => checkSchedules(listOf(options.schedules, 'schedules'))),
    queues: check([], () => checkQueues(listOf(options.queues, 'queues'))),
    serveQueues: check(
      undefined,
      () => options.serveQueues && listOf(options.serveQueues, 'serveQueues').map(queueName),
    ),
    logger: check(silentLogger, () => checkLogger(options.logger ?? consoleLogger())),
    carrier: check(undefined, () => checkCarrier(options.context)),
    aroundStep: check(undefined, () => checkAround(options.aroundStep)),
    leaseMs,
    parkAfterMs: duration(options.parkAfter ?? (options.driven === true ? '250ms' : '10s'), 'parkAfter', 0),
    pollMs: options.pollInterval === undefined ? undefined : duration(options.pollInterval, 'pollInterval', 10),
    mayListen: flag(options.listen ?? true, 'listen'),
    mayMigrate: flag(options.migrate ?? true, 'migrate'),
    isDriven: flag(options.driven ?? false, 'driven'),
    maxConcurrentRuns: count(options.maxConcurrentRuns ?? 1_000, 'maxConcurrentRuns'),
    maxRecoveries: count(options.maxRecoveries ?? 100, 'maxRecoveries', 0),
    maxPayloadBytes: count(options.maxPayloadBytes ?? 10 * 1024 * 1024, 'maxPayloadBytes', 1_024),
  };
  if (faults.length > 0) throw new PerdureError('CONFIG_INVALID', { faults });
  for (const option of Object.keys(options).filter((name) => !Object.hasOwn(known, name)))
    settings.logger.warn({ option }, 'engines have no such option, so it has no effect');
  return settings;
}

/** How long closing may take. Throws OPTION_INVALID, DURATION_INVALID. */
export function closeTimeoutOf(options: CloseOptions): number {
  refuseUnknown(options, { timeout: true }, 'closing engines');
  return Math.min(parseDuration(options.timeout ?? '30s', 'timeout'), longestTimerMs);
}

/** A list as it was given; empty if it was not. Throws OPTION_INVALID for what is no list. */
export function listOf<T>(given: readonly T[] | undefined, option: keyof EngineOptions): readonly T[] {
  if (given !== undefined) requireList(given, option);
  return given ?? [];
}

const known: Readonly<Record<keyof EngineOptions, true>> = {
  database: true,
  directDatabase: true,
  schema: true,
  workflows: true,
  schedules: true,
  steps: true,
  queues: true,
  serveQueues: true,
  logger: true,
  context: true,
  aroundStep: true,
  lease: true,
  parkAfter: true,
  pollInterval: true,
  listen: true,
  migrate: true,
  driven: true,
  maxConcurrentRuns: true,
  maxRecoveries: true,
  maxPayloadBytes: true,
  poolSize: true,
};

function connectionOf(database: EngineOptions['database'], option: string): DatabaseOptions['connection'] {
  if (database === undefined || database === '') {
    const reason = 'give a connection string, for instance in the environment variable DATABASE_URL';
    throw invalid(option, database ?? 'undefined', reason);
  }
  if (typeof database === 'string') return checkUrl(database, option);
  if (typeof database !== 'object' || database === null)
    throw invalid(option, database, 'it is neither a connection string nor a configuration of pg');
  // `options` of a configuration is text for the server; that of a pool is its configuration, with a hidden password.
  if (!('options' in database) || typeof database.options !== 'object') return { ...database } as ConnectionConfig;
  const { options } = database;
  return { ...options, ...(options.password === undefined ? {} : { password: options.password }) };
}

// The value never goes into the error: it holds a password.
function checkUrl(url: string, option: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0] ?? 'text without a scheme';
  if (!/^(postgres(ql)?|socket):\/\//.test(url) && !url.startsWith('/'))
    throw invalid(option, scheme, 'it does not begin with postgres://');
  if (!isReadable(url))
    throw invalid(option, `${scheme}…`, 'it cannot be parsed; encode special characters as in any URL');
  return url;
}

function checkSchema(schema: string): string {
  checkName('schema', schema);
  if (Buffer.byteLength(schema) <= 63) return schema;
  throw invalid('schema', schema, 'Postgres cuts names after 63 bytes');
}

function checkLogger(logger: Logger): Logger {
  for (const level of ['debug', 'info', 'warn', 'error'] as const)
    if (typeof logger[level] !== 'function') throw invalid('logger', 'this object', `it has no method ${level}`);
  return logger;
}

function checkCarrier(carrier: ContextCarrier | undefined): ContextCarrier | undefined {
  if (carrier === undefined) return undefined;
  const { capture, restore }: Partial<ContextCarrier> = Object(carrier) as Partial<ContextCarrier>;
  if (typeof capture === 'function' && typeof restore === 'function') return carrier;
  throw invalid('context', typeof carrier, 'it has no methods capture and restore');
}

function checkAround(around: AroundStep | undefined): AroundStep | undefined {
  if (around === undefined || typeof around === 'function') return around;
  throw invalid('aroundStep', typeof around, 'it is not a function');
}

function within(value: number, [least, most]: readonly [number, number], option: string): number {
  if (value < least) throw invalid(option, value, `it is less than ${least}`);
  if (value > most) throw invalid(option, value, `it is more than ${most}`);
  return value;
}

function invalid(option: string, value: unknown, reason: string): PerdureError {
  return new PerdureError('OPTION_INVALID', { option, value: String(value), reason });
}

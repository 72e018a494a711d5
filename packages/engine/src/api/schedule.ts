// Defining schedules: a name, when, and what to start.

import type { WorkflowDefinition } from '../run/definition.js';
import type { ScheduleSettings } from '../store/schedules.js';
import { PerdureError } from '../values/errors.js';
import { checkName } from '../values/ids.js';
import { encode } from '../values/serialize.js';
import { parseRecurrence, type Recurrence, type TickRule } from '../values/ticks.js';
import { refuseUnknown } from '../values/unknown-options.js';
import { definitionOf, type Startable, type StartOptions } from './start.js';

/** What a scheduled run gets as its input. */
export interface Tick<Input = undefined> {
  /** Name of the schedule. */
  readonly schedule: string;
  /** When it was due: the moment that the run stands for. */
  readonly scheduledAt: Date;
  /** When it was started: later after downtime, or when it had to wait for an earlier run. */
  readonly startedAt: Date;
  /** The `input` of the schedule. */
  readonly input: Input;
}

/** Options of a schedule besides its input: what its runs are started with, and how its ticks are treated. */
export interface ScheduleSettingOptions extends Omit<
  StartOptions,
  'id' | 'onDuplicate' | 'delay' | 'dedupKey' | 'transaction'
> {
  /** The IANA time zone that a cron pattern is meant in. Default: UTC. */
  readonly timeZone?: string;
  /**
   * What becomes of a tick while an earlier run of the schedule is unfinished: it is left out and counted, it waits for its
   * turn (1,000 do at most), or it starts beside it. Default: allow.
   */
  readonly overlap?: 'skip' | 'queue' | 'allow';
  /**
   * What is made up for when nobody was there to start it: nothing, the last tick, every tick, or the last ones, up to
   * 1,000. A tick that is less than 15 seconds late is never left out. Default: last.
   */
  readonly catchUp?: 'none' | 'last' | 'all' | { readonly max: number };
}

/** Options of a schedule. */
export type ScheduleOptions<Input = undefined> = ScheduleSettingOptions &
  (undefined extends Input ? { readonly input?: Input } : { readonly input: Input });

/** The options, which may be left out where no input is needed. */
export type ScheduleArguments<Input> = undefined extends Input
  ? [options?: ScheduleOptions<Input>]
  : [options: ScheduleOptions<Input>];

/** A schedule as it was defined. */
export interface Schedule {
  readonly name: string;
  readonly rule: TickRule;
  readonly workflow: WorkflowDefinition;
  readonly input: unknown;
  readonly overlap: 'skip' | 'queue' | 'allow';
  /** How many missed ticks are made up for; undefined for all. */
  readonly catchUp: number | undefined;
  readonly startOptions: StartOptions;
}

/**
 * A schedule: starts a workflow at every tick of a cron pattern (five fields, six with seconds first, or an alias as
 * `@daily`) or of an interval, once over all processes. The workflow receives a `Tick`. Give it to `createEngine` or to
 * `engine.schedules.create`. A time that clocks leave out when they go forward is due at the end of the gap; one that comes twice is due once.
 * Throws NAME_INVALID, CRON_INVALID, DURATION_INVALID, OPTION_INVALID, UNSERIALIZABLE.
 *
 * @example
 * const report = workflow('report', async ({ scheduledAt }: Tick) => send(scheduledAt));
 * const nightly = schedule('nightly', '0 2 * * *', report, { timeZone: 'Europe/Berlin', overlap: 'skip' });
 */
export function schedule<Input = undefined>(
  name: string,
  when: Recurrence,
  ...[workflow, ...[options = {}]]: [
    workflow: Startable<Tick<Input>, unknown> | Startable<void, unknown>,
    ...options: ScheduleArguments<Input>,
  ]
): Schedule {
  refuseUnknown(options, scheduleOptions, 'schedules');
  const { timeZone, overlap = 'allow', catchUp = 'last', input, ...startOptions } = options as ScheduleOptions<unknown>;
  encode(input, `the input of schedule "${name}"`);
  if (!['skip', 'queue', 'allow'].includes(overlap))
    throw invalid('overlap', overlap, 'it is not skip, queue or allow');
  return {
    name: checkName('schedule', name),
    rule: parseRecurrence(when, timeZone),
    workflow: definitionOf(workflow),
    input,
    overlap,
    catchUp: parseCatchUp(catchUp),
    startOptions,
  };
}

const scheduleOptions: Readonly<Record<keyof ScheduleOptions<unknown>, true>> = {
  timeZone: true,
  overlap: true,
  catchUp: true,
  input: true,
  timeout: true,
  attributes: true,
  queue: true,
  partitionKey: true,
  priority: true,
};

const mostCaughtUp = 1_000;

function parseCatchUp(catchUp: ScheduleSettingOptions['catchUp']): number | undefined {
  if (catchUp === 'none') return 0;
  if (catchUp === 'last') return 1;
  if (catchUp === 'all') return undefined;
  const max: unknown = typeof catchUp === 'object' && catchUp !== null ? catchUp.max : undefined;
  if (typeof max === 'number' && Number.isSafeInteger(max) && max >= 0 && max <= mostCaughtUp) return max;
  throw invalid(
    'catchUp',
    catchUp,
    `it is none of none, last, all and { max } with a whole number up to ${mostCaughtUp}`,
  );
}

/** Schedules to declare, by name, so that processes that launch at once take the rows in one order. Throws OPTION_INVALID. */
export function checkSchedules(schedules: readonly Schedule[]): readonly Schedule[] {
  for (const given of schedules as readonly (Partial<Schedule> | undefined)[])
    if (given?.rule === undefined) throw invalid('schedules', given?.name ?? given, 'make one with schedule()');
  const byName = new Map(schedules.map((given) => [given.name, given]));
  const twice = schedules.find((given) => byName.get(given.name) !== given);
  if (twice !== undefined) throw invalid('schedules', twice.name, 'two schedules have this name');
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The schedule in stored form. */
export function toSettings({
  name,
  rule,
  workflow,
  input,
  overlap,
  catchUp,
  startOptions,
}: Schedule): ScheduleSettings {
  const timeout = startOptions.timeout === undefined ? workflow.timeoutMs : startOptions.timeout; // a process that lacks the workflow starts it all the same
  return {
    name,
    workflow: workflow.name,
    version: workflow.version,
    cron: rule.kind === 'cron' ? rule.cron : undefined,
    timeZone: rule.kind === 'cron' ? rule.timeZone : undefined,
    everyMs: rule.kind === 'interval' ? rule.everyMs : undefined,
    input: encode(input, `the input of schedule "${name}"`),
    startOptions: JSON.stringify({ ...startOptions, ...(timeout === undefined ? {} : { timeout }) }),
    overlap,
    catchUp,
  };
}

function invalid(option: string, value: unknown, reason: string): PerdureError<'OPTION_INVALID'> {
  return new PerdureError('OPTION_INVALID', { option, value, reason });
}

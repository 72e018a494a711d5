// When a schedule is due: by a cron pattern in a time zone, or at an interval. Pure; the schedules and their tests read it.
// Every process of a fleet must find the same ticks, so nothing here depends on when or where it is asked.

import { Cron } from 'croner';
import { parseDuration, type Duration } from './duration.js';
import { shown } from './error-row.js';
import { PerdureError } from './errors.js';
import { refuseUnknown } from './unknown-options.js';

/** When a schedule is due. */
export type TickRule =
  | { readonly kind: 'cron'; readonly cron: string; readonly timeZone: string }
  | { readonly kind: 'interval'; readonly everyMs: number };

/** How users write it: a cron pattern, or an interval. */
export type Recurrence = string | { readonly every: Duration };

const leastIntervalMs = 1_000;
const aliases = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']);

/**
 * Checks and fixes a rule. Cron patterns have five fields, six with seconds first, seven with years last, or are an
 * alias as `@daily`; their time zone is an IANA name, UTC by default. Intervals are counted from 1970-01-01 UTC, so
 * that `'15m'` is due on the quarter hours. Throws CRON_INVALID, DURATION_INVALID, OPTION_INVALID.
 */
export function parseRecurrence(recurrence: Recurrence, timeZone: string | undefined): TickRule {
  if (typeof recurrence === 'string') return parseCron(recurrence, timeZone ?? 'UTC');
  if (typeof recurrence !== 'object' || recurrence === null || !('every' in recurrence))
    throw new PerdureError('CRON_INVALID', { cron: recurrence, reason: 'it is neither text nor { every }' });
  refuseUnknown(recurrence, { every: true }, 'intervals');
  const everyMs = parseDuration(recurrence.every, 'the interval of a schedule');
  if (everyMs < leastIntervalMs) throw invalid('every', recurrence.every, 'it is shorter than a second');
  if (timeZone !== undefined) throw invalid('timeZone', timeZone, 'an interval is the same in every time zone');
  return { kind: 'interval', everyMs };
}

/** The first tick after a moment, or undefined when there is none any more. */
export function nextTick(rule: TickRule, afterMs: number): number | undefined {
  if (rule.kind === 'interval') return (Math.floor(afterMs / rule.everyMs) + 1) * rule.everyMs;
  return compile(rule).nextRun(new Date(afterMs))?.getTime();
}

/** A stretch of time, both ends included. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The first `limit` ticks in a stretch of time. */
export function ticksBetween(rule: TickRule, { fromMs, toMs }: Span, limit: number): readonly number[] {
  const ticks: number[] = [];
  const next = nextOf(rule);
  for (let tick = next(fromMs - 1); tick !== undefined && tick <= toMs && ticks.length < limit; tick = next(tick))
    ticks.push(tick);
  return ticks;
}

/** The last `limit` ticks in a stretch of time, earliest first. */
export function lastTicksBetween(rule: TickRule, { fromMs, toMs }: Span, limit: number): readonly number[] {
  if (rule.kind === 'interval') {
    const lastMs = Math.floor(toMs / rule.everyMs) * rule.everyMs;
    const firstMs = lastMs - (limit - 1) * rule.everyMs;
    return ticksBetween(rule, { fromMs: Math.max(fromMs, firstMs), toMs }, limit);
  }
  const latest = compile(rule).previousRuns(limit, new Date(toMs + 1));
  return latest
    .map((tick) => tick.getTime())
    .filter((tick) => tick >= fromMs)
    .reverse();
}

function nextOf(rule: TickRule): (afterMs: number) => number | undefined {
  if (rule.kind === 'interval') return (afterMs) => nextTick(rule, afterMs);
  const cron = compile(rule);
  return (afterMs) => cron.nextRun(new Date(afterMs))?.getTime();
}

// With "no-wildcard", a time that is named (02:30) and left out when clocks go forward is due at the end of the gap, and one
// that comes twice when they go back is due once. Patterns with wildcards follow the clock on the wall.
function compile({ cron, timeZone }: Extract<TickRule, { kind: 'cron' }>): Cron {
  return new Cron(cron, { timezone: timeZone, fixedTimeRule: 'no-wildcard' });
}

function parseCron(cron: string, timeZone: string): TickRule {
  const rule = { kind: 'cron', cron, timeZone } as const;
  checkTimeZone(timeZone);
  const fault = faultOf(cron);
  if (fault !== undefined) throw new PerdureError('CRON_INVALID', { cron, reason: fault });
  try {
    const compiled = compile(rule);
    if (compiled.nextRun() !== null || compiled.previousRuns(1).length > 0) return rule;
  } catch (cause) {
    const reason = reasonOf(cause);
    throw new PerdureError('CRON_INVALID', { cron, reason }, { cause });
  }
  throw new PerdureError('CRON_INVALID', { cron, reason: 'no date fits it' });
}

// The parser counts days and months from 0 in this message, so the value in it would mislead.
function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text
    .replace(/^CronPattern: /, '')
    .replace(/^Invalid value for (\w+): .*$/, 'its $1 is out of range')
    .replace(/\.$/, '');
}

// What the parser accepts and a schedule cannot use.
function faultOf(cron: string): string | undefined {
  const text = cron.trim().toLowerCase();
  if (text === '') return 'it is empty';
  if (text === '@reboot') return 'nothing restarts in a fleet; start a run after launching instead';
  if (text.startsWith('@')) return aliases.has(text) ? undefined : `it is none of ${[...aliases].join(', ')}`;
  if (/^\d{4}-\d{2}/.test(text)) return 'it is a date; start a run with a delay instead';
  const { length } = text.split(/\s+/);
  if (length < 5 || length > 7) return `it has ${length} field${length === 1 ? '' : 's'}, not five or six`;
  if (text.includes('?')) return '"?" stands for another time in every process; write "*"';
  return undefined;
}

function checkTimeZone(timeZone: string): void {
  try {
    if (typeof timeZone !== 'string' || timeZone === '') throw invalid('timeZone', timeZone, 'it is empty or no text');
    new Intl.DateTimeFormat('en', { timeZone });
  } catch {
    throw invalid('timeZone', timeZone, 'it is no IANA time zone as "Europe/Berlin"');
  }
}

function invalid(option: string, value: unknown, reason: string): PerdureError<'OPTION_INVALID'> {
  return new PerdureError('OPTION_INVALID', {
    option,
    value: typeof value === 'string' ? value : shown(value),
    reason,
  });
}

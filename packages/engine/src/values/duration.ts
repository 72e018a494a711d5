// Durations as users write them, turned into whole milliseconds. Every option that takes a time goes through here.

import { PerdureError } from './errors.js';

/** A number of milliseconds, or text such as `'500ms'`, `'5m'`, `'1h30m'`, `'1.5 hours'`, `'2 weeks'`. */
export type Duration = number | string;

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const week = 7 * day;

// No months and years: their length depends on where in the calendar they start.
const unitMs: ReadonlyMap<string, number> = new Map([
  ...['ms', 'msec', 'msecs', 'millisecond', 'milliseconds'].map((name) => [name, 1] as const),
  ...['s', 'sec', 'secs', 'second', 'seconds'].map((name) => [name, second] as const),
  ...['m', 'min', 'mins', 'minute', 'minutes'].map((name) => [name, minute] as const),
  ...['h', 'hr', 'hrs', 'hour', 'hours'].map((name) => [name, hour] as const),
  ...['d', 'day', 'days'].map((name) => [name, day] as const),
  ...['w', 'week', 'weeks'].map((name) => [name, week] as const),
]);

/** The longest that a timer of Node can be set for, 24.8 days: a longer one fires at once. */
export const longestTimerMs = 2 ** 31 - 1;

// 100,000 years: now plus this is still a date to JavaScript (until 275760) and to Postgres (until 294276).
const maxMs = 100_000 * 365 * day;

// The lengths are bounded and every part starts with a digit, so that no input makes the match slow.
const wholeText = /^(?:\s{0,9}\d{1,15}(?:\.\d{1,15})?\s{0,9}[a-z]{1,12}){1,6}\s{0,9}$/;
const part = /(\d+(?:\.\d+)?)\s*([a-z]+)/g;

/**
 * Whole milliseconds, at least 0; fractions are rounded. `what` names the option in the error.
 * Throws `DURATION_INVALID` for anything negative, not finite, without a known unit, or over 100,000 years.
 *
 * @example
 * parseDuration('1h30m', 'timeout'); // 5400000
 */
export function parseDuration(value: Duration, what: string): number {
  const ms = typeof value === 'string' ? parseText(value) : value;
  if (typeof ms !== 'number' || !(ms >= 0 && ms <= maxMs)) throw new PerdureError('DURATION_INVALID', { value, what });
  return Math.round(ms) + 0; // + 0 turns -0 into 0
}

function parseText(text: string): number {
  const lower = text.toLowerCase();
  if (!wholeText.test(lower)) return NaN;
  let totalMs = 0;
  for (const [, amount, unit] of lower.matchAll(part)) totalMs += Number(amount) * (unitMs.get(unit ?? '') ?? NaN);
  return totalMs;
}

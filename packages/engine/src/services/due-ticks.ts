// What is to be started of a schedule that is due: the ticks that have just come, and those that it makes up for. Pure.

import { longestBacklog, type Advance } from '../store/schedule-ticks.js';
import type { ScheduleRow } from '../store/schedules.js';
import { lastTicksBetween, nextTick, ticksBetween, type TickRule } from '../values/ticks.js';

// A tick that is no later than this is punctual, whatever the schedule makes up for: within that time others have taken over
// from a scheduler that died.
const punctualMs = 15_000;

/** How many ticks one statement admits, and how many runs one round starts of a schedule. */
export const portion = 100;

/** The rule of a stored schedule. */
export function ruleOf({ cron, timeZone, everyMs }: Pick<ScheduleRow, 'cron' | 'timeZone' | 'everyMs'>): TickRule {
  if (cron === undefined) return { kind: 'interval', everyMs: everyMs ?? Infinity };
  return { kind: 'cron', cron, timeZone: timeZone ?? 'UTC' };
}

/** How to move a due schedule on; undefined when it is not due, or has no room for ticks that it must not leave out. */
export function planAdvance(schedule: ScheduleRow, nowMs: number): Advance | undefined {
  const { nextDueAtMs: dueAtMs, catchUp, isPaused, backlogMs } = schedule;
  if (dueAtMs === undefined || dueAtMs > nowMs || isPaused) return undefined;
  const rule = ruleOf(schedule);
  if (catchUp !== undefined) {
    const ticksMs = latest(rule, { dueAtMs, nowMs, catchUp });
    return { dueAtMs, nextDueAtMs: nextTick(rule, nowMs), lastDueAtMs: ticksMs.at(-1) ?? dueAtMs, ticksMs };
  }
  const room = Math.min(portion, longestBacklog - backlogMs.length);
  const ticksMs = ticksBetween(rule, { fromMs: dueAtMs, toMs: nowMs }, room);
  const lastDueAtMs = ticksMs.at(-1);
  if (lastDueAtMs === undefined) return undefined;
  return { dueAtMs, nextDueAtMs: nextTick(rule, lastDueAtMs), lastDueAtMs, ticksMs };
}

interface Window {
  readonly dueAtMs: number;
  readonly nowMs: number;
  readonly catchUp: number;
}

function latest(rule: TickRule, { dueAtMs, nowMs, catchUp }: Window): readonly number[] {
  const punctual = lastTicksBetween(rule, { fromMs: Math.max(dueAtMs, nowMs - punctualMs), toMs: nowMs }, portion);
  return catchUp > punctual.length ? lastTicksBetween(rule, { fromMs: dueAtMs, toMs: nowMs }, catchUp) : punctual;
}

// Ticks as pure rules: patterns of every kind of wrongness, time zones, and the nights in which clocks change.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { lastTicksBetween, nextTick, parseRecurrence, ticksBetween, type Recurrence } from '../src/values/ticks.js';
import { perdureErrorOf } from './support/perdure-error-of.js';

const fourDaysMs = 4 * 86_400_000;
const at = (text: string): number => Date.parse(text);

// The ticks from one moment to another, without year and milliseconds.
function ticks(recurrence: Recurrence, timeZone: string | undefined, [from, to]: readonly [string, string]): string[] {
  const rule = parseRecurrence(recurrence, timeZone);
  return ticksBetween(rule, { fromMs: at(from), toMs: at(to) }, 1_000).map((ms) =>
    new Date(ms).toISOString().slice(5, 16),
  );
}

describe('patterns', () => {
  test.each([
    ['', 'it is empty'],
    ['   ', 'it is empty'],
    ['* * *', 'it has 3 fields, not five or six'],
    ['noon', 'it has 1 field, not five or six'],
    ['* * * * * * * *', 'it has 8 fields, not five or six'],
    ['60 * * * *', 'its minute is out of range'],
    ['0 24 * * *', 'its hour is out of range'],
    ['0 0 32 * *', 'its day is out of range'],
    ['0 0 * 13 *', 'its month is out of range'],
    ['0 0 * * 8', 'its dayOfWeek is out of range'],
    ['61 0 0 * * *', 'its second is out of range'],
    ['a b c d e', 'illegal characters'],
    ['*/0 * * * *', 'illegal stepping'],
    ['5-1 * * * *', 'larger than'],
    ['1,,2 * * * *', 'empty'],
    ['0 0 30 2 *', 'no date fits it'],
    ['0 0 ? * 1', '"?"'],
    ['@reboot', 'nothing restarts'],
    ['@fortnightly', 'it is none of'],
    ['2031-01-01T00:00:00', 'it is a date'],
  ])('"%s" is refused, and why is said', async (cron, reason) => {
    const error = await perdureErrorOf(() => parseRecurrence(cron, undefined), 'CRON_INVALID');

    expect(error.details['reason']).toContain(reason);
  });

  test.each([[undefined], [null], [5], [{}], [() => '* * * * *']])('%p is refused', async (cron) => {
    await perdureErrorOf(() => parseRecurrence(cron as never, undefined), 'CRON_INVALID');
  });

  test.each([['Mars/Olympus'], [''], ['CEST!'], [5]])('the time zone %p is refused', async (timeZone) => {
    await perdureErrorOf(() => parseRecurrence('* * * * *', timeZone as string), 'OPTION_INVALID');
  });

  test.each([[0], [-1], ['999ms'], [NaN], ['soon']])('the interval %p is refused', async (every) => {
    const code = every === 0 || every === '999ms' ? 'OPTION_INVALID' : 'DURATION_INVALID';

    await perdureErrorOf(() => parseRecurrence({ every }, undefined), code);
  });

  test('a time zone beside an interval is refused', async () => {
    await perdureErrorOf(() => parseRecurrence({ every: '1h' }, 'Europe/Berlin'), 'OPTION_INVALID');
  });
});

describe('ticks', () => {
  test('five fields are minutes, six begin with seconds, and an alias is its pattern', () => {
    expect(ticks('30 12 * * *', undefined, ['2026-01-01', '2026-01-03'])).toEqual(['01-01T12:30', '01-02T12:30']);
    expect(ticks('*/30 0 0 * * *', undefined, ['2026-01-01T00:00', '2026-01-01T00:01'])).toHaveLength(2);
    expect(ticks('@daily', undefined, ['2026-01-01T00:00:01Z', '2026-01-03'])).toEqual(['01-02T00:00', '01-03T00:00']);
  });

  test('a pattern that is over has no tick left', () => {
    expect(nextTick(parseRecurrence('0 0 0 1 1 * 2020', undefined), at('2026-01-01'))).toBeUndefined();
  });

  test('intervals fall on multiples of themselves, wherever they are asked', () => {
    expect(ticks({ every: '20m' }, undefined, ['2026-01-01T00:07Z', '2026-01-01T01:00Z'])).toEqual([
      '01-01T00:20',
      '01-01T00:40',
      '01-01T01:00',
    ]);
  });

  test('the last ticks of a long time are found without walking through it', () => {
    const rule = parseRecurrence('* * * * * *', undefined);

    const last = lastTicksBetween(rule, { fromMs: at('2020-01-01'), toMs: at('2026-01-01') }, 3);

    expect(last).toEqual([2, 1, 0].map((seconds) => at('2026-01-01') - seconds * 1_000));
  });
});

describe('daylight saving time [150]', () => {
  const berlin = 'Europe/Berlin';
  const forward = ['2026-03-28T00:00Z', '2026-03-30T12:00Z'] as const; // 02:00 becomes 03:00 on the 29th, at 01:00 UTC
  const back = ['2026-10-24T00:00Z', '2026-10-26T12:00Z'] as const; // 03:00 becomes 02:00 on the 25th, at 01:00 UTC

  test.each([
    ['a time that is left out comes due at the end of the gap', '30 2 * * *', '03-28T01:30 03-29T01:00 03-30T00:30'],
    ['a time after the gap keeps its hour', '0 9 * * *', '03-28T08:00 03-29T07:00 03-30T07:00'],
    ['a named list loses nothing', '30 2,3 * * 0', '03-29T01:00 03-29T01:30'],
    ['an hourly one is due every hour', '0 0-4 29 3 *', '03-28T23:00 03-29T00:00 03-29T01:00 03-29T02:00'],
    ['every 20 minutes of an hour that is left out are left out', '*/20 2 29 3 *', ''],
  ])('when clocks go forward, %s', (_name, cron, expected) => {
    expect(ticks(cron, berlin, forward).join(' ')).toBe(expected);
  });

  test.each([
    ['a time that comes twice is due once', '30 2 * * *', '10-24T00:30 10-25T00:30 10-26T01:30'],
    ['a time after it keeps its hour', '0 9 * * *', '10-24T07:00 10-25T08:00 10-26T08:00'],
    [
      'an hourly one is due in both hours',
      '0 * 25 10 *',
      '10-24T22:00 10-24T23:00 10-25T00:00 10-25T01:00 10-25T02:00',
    ],
    ['an hour of a named range is due once', '0 2-4 25 10 *', '10-25T00:00 10-25T02:00 10-25T03:00'],
    [
      'every 30 minutes of the double hour count twice',
      '*/30 2 25 10 *',
      '10-25T00:00 10-25T00:30 10-25T01:00 10-25T01:30',
    ],
  ])('when clocks go back, %s', (_name, cron, expected) => {
    expect(ticks(cron, berlin, back).slice(0, 5).join(' ')).toBe(expected);
  });

  test('midnight that does not exist is due when the day begins', () => {
    expect(ticks('0 0 * * *', 'America/Sao_Paulo', ['2018-11-03T12:00Z', '2018-11-05T12:00Z'])).toEqual([
      '11-04T03:00',
      '11-05T02:00',
    ]);
  });

  test('a change of half an hour is one as well', () => {
    expect(ticks('15 2 * * *', 'Australia/Lord_Howe', ['2026-10-02T00:00Z', '2026-10-04T23:00Z'])).toEqual([
      '10-02T15:45',
      '10-03T15:30',
      '10-04T15:15',
    ]);
  });

  test('whoever asks, at whatever moment, finds the same ticks', () => {
    const cron = fc.constantFrom('30 2 * * *', '0,30 1-3 * * *', '*/20 2 * * *', '*/7 */3 * * *', '15 */20 2 * * *');
    const zone = fc.constantFrom(berlin, 'America/New_York', 'Australia/Lord_Howe', 'UTC');
    const night = fc.constantFrom('2026-03-29', '2026-10-25', '2026-03-08', '2026-11-01', '2026-04-05', '2026-10-04');
    const minutes = fc.integer({ min: -1_440, max: 1_440 });

    fc.assert(
      fc.property(cron, zone, night, minutes, (pattern, timeZone, date, offset) => {
        const rule = parseRecurrence(pattern, timeZone);
        const moment = at(date) + offset * 60_000 + 1;
        const all = ticksBetween(rule, { fromMs: at(date) - fourDaysMs, toMs: at(date) + fourDaysMs }, 10_000);
        expect(nextTick(rule, moment)).toBe(all.find((tick) => tick > moment));
        expect(lastTicksBetween(rule, { fromMs: 0, toMs: moment }, 2)).toEqual(
          all.filter((tick) => tick <= moment).slice(-2),
        );
      }),
      { numRuns: 150 },
    );
  });
});

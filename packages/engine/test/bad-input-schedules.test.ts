// What schedules refuse where they are defined, declared, created and steered, and that nothing of it is stored.

import { beforeEach, expect, test } from '@jest/globals';
import {
  contract,
  queue,
  schedule,
  type Engine,
  type ErrorCode,
  type Schedule,
  type ScheduleOptions,
  type Tick,
} from '../src/index.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const report = contract<Tick<unknown>>('report');
const nightly = (name: string, options: ScheduleOptions<unknown> = {}): Schedule =>
  schedule(name, '0 2 * * *', report, options);

let engine: Engine;
beforeEach(async () => {
  engine = await db.launchEngine();
});

// What a program without types may pass.
function untyped(options: Readonly<Record<string, unknown>>): ScheduleOptions<unknown> {
  return options;
}

test.each<[string, Readonly<Record<string, unknown>>, ErrorCode]>([
  ['a time zone that is none', { timeZone: 'Mars/Olympus' }, 'OPTION_INVALID'],
  ['an unknown overlap', { overlap: 'never' }, 'OPTION_INVALID'],
  ['an unknown catch-up', { catchUp: 'some' }, 'OPTION_INVALID'],
  ['a catch-up of less than nothing', { catchUp: { max: -1 } }, 'OPTION_INVALID'],
  ['a catch-up of half a tick', { catchUp: { max: 0.5 } }, 'OPTION_INVALID'],
  ['a catch-up of more than 1,000', { catchUp: { max: 1_001 } }, 'OPTION_INVALID'],
  ['a catch-up of null', { catchUp: null }, 'OPTION_INVALID'],
  ['an input that cannot be stored', { input: () => 1 }, 'UNSERIALIZABLE'],
])('a schedule with %s cannot be defined', async (_, options, code) => {
  await perdureErrorOf(() => nightly('bad', untyped(options)), code);
});

test('an interval with something else than its length is refused', async () => {
  const when = { every: '15m', timeZone: 'Europe/Berlin' };

  await perdureErrorOf(() => schedule('bad', when, report), 'OPTION_INVALID');
});

test.each([[''], ['a\u0000b'], ['x'.repeat(256)]])('a schedule cannot be named %j', async (name) => {
  await perdureErrorOf(() => nightly(name), 'NAME_INVALID');
});

test.each<[string, ScheduleOptions<unknown>, ErrorCode]>([
  ['a queue that nobody has declared', { queue: 'mial' }, 'QUEUE_UNKNOWN'],
  ['a priority without a queue', { priority: 1 }, 'OPTION_INVALID'],
  ['a negative timeout', { timeout: -1 }, 'DURATION_INVALID'],
  ['an input that is too large', { input: 'x'.repeat(11 * 1024 * 1024) }, 'PAYLOAD_TOO_LARGE'],
])('a schedule with %s is created neither at run time nor at launch', async (_, options, code) => {
  const bad = nightly('bad', options);

  await perdureErrorOf(engine.schedules.create(bad), code);
  await perdureErrorOf(db.createEngine({ schedules: [bad] }).launch(), code);

  expect(await engine.schedules.list()).toEqual([]);
  expect(await db.query('select from perdure.runs')).toEqual([]);
});

test('a schedule that is there is not created again, and stays as it was', async () => {
  await engine.schedules.create(nightly('twice'));

  await perdureErrorOf(engine.schedules.create(schedule('twice', '@hourly', report)), 'SCHEDULE_EXISTS');

  expect(await engine.schedules.get('twice')).toMatchObject({ cron: '0 2 * * *' });
  expect(await engine.schedules.delete('twice')).toBe(true);
});

test.each([[undefined], ['nightly'], [queue('nightly')]])('%p is no schedule', async (given) => {
  const schedules = [given] as unknown as Schedule[];

  const error = await perdureErrorOf(db.createEngine({ schedules }).launch(), 'CONFIG_INVALID');

  expect(error.details.faults).toEqual([expect.stringContaining('make one with schedule()')]);
  await perdureErrorOf(engine.schedules.declare(schedules), 'OPTION_INVALID');
});

test('two schedules of one name are refused at launch', async () => {
  const schedules = [nightly('twice'), nightly('twice')];

  const error = await perdureErrorOf(db.createEngine({ schedules }).launch(), 'CONFIG_INVALID');

  expect(error.details.faults).toEqual([expect.stringContaining('two schedules have this name')]);
  expect(await engine.schedules.list()).toEqual([]);
});

test('steering a schedule that is not there says so', async () => {
  const { schedules } = engine;

  await perdureErrorOf(schedules.pause('nobody'), 'SCHEDULE_NOT_FOUND');
  await perdureErrorOf(schedules.resume('nobody'), 'SCHEDULE_NOT_FOUND');
  await perdureErrorOf(schedules.trigger('nobody'), 'SCHEDULE_NOT_FOUND');
  await perdureErrorOf(schedules.update(nightly('nobody')), 'SCHEDULE_NOT_FOUND');
  await perdureErrorOf(schedules.backfill('nobody', { from: new Date(0) }), 'SCHEDULE_NOT_FOUND');
  expect(await schedules.delete('nobody')).toBe(false);
  expect(await schedules.get('nobody')).toBeUndefined();
});

test.each<[string, { from: Date; to?: Date }]>([
  ['a beginning that is no date', { from: new Date(NaN) }],
  ['an end that is no date', { from: new Date(0), to: new Date(NaN) }],
  ['more than 10,000 ticks', { from: new Date(0), to: new Date('2030-01-01') }],
])('a backfill with %s is refused, and starts nothing', async (_, span) => {
  await engine.schedules.create(nightly('nightly'));

  await perdureErrorOf(engine.schedules.backfill('nightly', span), 'OPTION_INVALID');

  expect(await engine.schedules.get('nightly')).toMatchObject({ backlog: [] });
  expect(await db.query('select from perdure.runs')).toEqual([]);
  await engine.schedules.delete('nightly');
});

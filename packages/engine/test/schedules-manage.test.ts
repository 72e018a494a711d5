// Steering schedules while processes run: declared in code, created at run time, changed, paused, triggered, backfilled.

import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { schedule, workflow, type Tick } from '../src/index.js';
import { gate } from './support/gate.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const noop = workflow('noop', async () => undefined);

const idsOf = async (name: string): Promise<string[]> => {
  const sql = `select id from perdure.runs where id like 'schedule/' || $1 || '/%' order by id`;
  return (await db.query<{ id: string }>(sql, [name])).map(({ id }) => id);
};

test('a declaration is applied at launch, and what was set at run time survives the next launch [149]', async () => {
  const nightly = schedule('nightly', '0 2 * * *', noop, { timeZone: 'Europe/Berlin' });
  const before = await db.launchEngine({ workflows: [noop], schedules: [nightly] });
  const first = await before.schedules.get('nightly');
  await before.schedules.pause('nightly');
  await before.close();

  const after = await db.launchEngine({ workflows: [noop], schedules: [nightly] });

  expect(first).toMatchObject({ isDeclared: true, isPaused: false, cron: '0 2 * * *', timeZone: 'Europe/Berlin' });
  expect(await after.schedules.get('nightly')).toMatchObject({ isPaused: true, nextDueAt: first?.nextDueAt });
});

test('another declaration is applied, and its rule counts from now [149]', async () => {
  await db.launchEngine({ schedules: [schedule('moved', '@yearly', noop)] });

  const after = await db.launchEngine({ schedules: [schedule('moved', '@hourly', noop, { overlap: 'skip' })] });

  const moved = await after.schedules.get('moved');
  expect(moved).toMatchObject({ cron: '@hourly', overlap: 'skip' });
  expect(moved?.nextDueAt?.getTime()).toBeLessThan(Date.now() + 3_601_000);
});

test('a process can declare others while it runs: those are served, and what is missing rests [149]', async () => {
  const [former, present] = ['former', 'present'].map((name) => schedule(name, { every: '1s' }, noop));
  if (former === undefined || present === undefined) throw new Error('there are two');
  const engine = await db.launchEngine({ workflows: [noop], schedules: [former] });
  await waitFor(() => idsOf('former'), { what: 'a run', until: (ids) => ids.length > 0 });

  await engine.schedules.declare([present]);
  const { length } = await idsOf('former');
  await waitFor(() => idsOf('present'), { what: 'three runs', until: (ids) => ids.length >= 3 });

  expect((await idsOf('former')).length).toBeLessThanOrEqual(length + 1); // the scheduler may have been at it
  await engine.schedules.declare([former, present]);
  await waitFor(() => idsOf('former'), { what: 'runs again', until: (ids) => ids.length > length + 1 });
});

test('two different schedules of one name are refused while a process runs, as at launch', async () => {
  const engine = await db.launchEngine({ workflows: [noop] });
  const twins = ['@daily', '@hourly'].map((cron) => schedule('twins', cron, noop));

  await perdureErrorOf(engine.schedules.declare(twins), 'OPTION_INVALID');

  expect(await engine.schedules.get('twins')).toBeUndefined();
});

test('many processes that declare the same at once leave one schedule each [149]', async () => {
  const names = ['a', 'b', 'c', 'd'].map((name) => `at once ${name}`);
  const declared = names.map((name) => schedule(name, '@daily', noop));

  const engines = await Promise.all(
    [declared, declared.toReversed(), declared].map((schedules) => db.launchEngine({ schedules })),
  );

  const found = await engines[0]?.schedules.list();
  expect(found?.map(({ name }) => name).filter((name) => name.startsWith('at once'))).toEqual(names);
  expect(await db.query(`select max(revision) as revision from perdure.schedules where name like 'at once%'`)).toEqual([
    { revision: 1 },
  ]);
});

test('a schedule that no live process declares rests, and goes on when one does [149]', async () => {
  const vanished = schedule('vanished', { every: '1s' }, noop);
  const declaring = await db.launchEngine({ workflows: [noop], schedules: [vanished] });
  await waitFor(() => idsOf('vanished'), { what: 'a run', until: (ids) => ids.length > 0 });
  await declaring.close();
  const other = await db.launchEngine({ workflows: [noop], pollInterval: '50ms' });
  const marker = schedule('marker', { every: '1s' }, noop);
  const atRest = await idsOf('vanished');

  await other.schedules.create(marker);
  await waitFor(() => idsOf('marker'), { what: 'two ticks of another', until: (ids) => ids.length >= 2 });

  expect(await idsOf('vanished')).toEqual(atRest);
  await other.schedules.delete('marker');
  await db.launchEngine({ workflows: [noop], schedules: [vanished] });
  await waitFor(() => idsOf('vanished'), { what: 'a new run', until: (ids) => ids.length > atRest.length });
});

test('what one process creates, changes, pauses, resumes and deletes, the others follow without restart [149]', async () => {
  const heard: unknown[] = [];
  const listen = workflow('listen', async ({ input }: Tick<string>) => void heard.push(input));
  await db.launchEngine({ workflows: [listen] });
  const manager = await db.launchEngine();

  await manager.schedules.create(schedule('steered', { every: '1s' }, listen, { input: 'one' }));
  await waitFor(() => heard.includes('one'), { what: 'a run' });
  await manager.schedules.update(schedule('steered', { every: '1s' }, listen, { input: 'two' }));
  await waitFor(() => heard.includes('two'), { what: 'a run with the new input' });
  await manager.schedules.pause('steered');
  const paused = await manager.schedules.get('steered');
  await manager.schedules.resume('steered');
  const before = heard.length;
  await waitFor(() => heard.length > before, { what: 'a run after the pause' });

  expect(paused).toMatchObject({ isPaused: true, isDeclared: false });
  expect(await manager.schedules.delete('steered')).toBe(true);
  expect(await manager.schedules.delete('steered')).toBe(false);
  expect(await manager.schedules.get('steered')).toBeUndefined();
});

test('ticks that come during a pause are left out [149]', async () => {
  const engine = await db.launchEngine({ workflows: [noop], pollInterval: '50ms' });
  await engine.schedules.create(schedule('rested', '@hourly', noop, { catchUp: 'all' }));
  await engine.schedules.pause('rested');
  await db.query(`update perdure.schedules set next_due_at = now() - interval '5 hours' where name = 'rested'`);

  await engine.schedules.resume('rested');

  const { nextDueAt } = (await engine.schedules.get('rested')) ?? {};
  expect(nextDueAt?.getTime()).toBeGreaterThan(Date.now() - 1_000);
  expect(await idsOf('rested')).toEqual([]);
});

test('trigger starts a run now, also while the schedule is paused [150]', async () => {
  const echo = workflow('echo', async (tick: Tick<number>) => tick);
  const engine = await db.launchEngine({ workflows: [echo] });
  await engine.schedules.create(schedule('triggered', '@yearly', echo, { input: 7 }));
  await engine.schedules.pause('triggered');

  const run = await engine.schedules.trigger('triggered');

  expect(await run.result()).toMatchObject({ schedule: 'triggered', input: 7 });
  expect(run.id).toMatch(/^schedule\/triggered\/now\//);
});

test('a triggered run counts for the overlap [150]', async () => {
  const end = gate();
  const slow = workflow('slow by hand', () => end.opened);
  const engine = await db.launchEngine({ workflows: [slow] });
  await engine.schedules.create(schedule('by hand', '@hourly', slow, { overlap: 'queue' }));

  const run = await engine.schedules.trigger('by hand');
  const [backfilled = ''] = await engine.schedules.backfill('by hand', {
    from: new Date('2026-01-01T00:00Z'),
    to: new Date('2026-01-01T00:30Z'),
  });

  expect(await engine.schedules.get('by hand')).toMatchObject({
    activeIds: [run.id],
    backlog: [new Date('2026-01-01')],
  });
  end.open();
  await waitFor(() => engine.runs.get(backfilled), { what: 'the run of the backfill' });
});

test('backfill starts each tick once, by the time zone of the schedule, over a change of clocks [150]', async () => {
  const engine = await db.launchEngine({ workflows: [noop] });
  await engine.schedules.create(schedule('berlin', '30 2 * * *', noop, { timeZone: 'Europe/Berlin' }));
  const window = { from: new Date('2026-03-28T00:00Z'), to: new Date('2026-03-31T00:00Z') };

  const ids = await engine.schedules.backfill('berlin', window);
  await waitFor(() => idsOf('berlin'), { what: 'the runs', until: (found) => found.length === 3 });
  const again = await engine.schedules.backfill('berlin', window);
  await waitFor(async () => (await engine.schedules.get('berlin'))?.backlog.length === 0, { what: 'an empty backlog' });

  expect(ids.map((id) => id.slice(-24, -8))).toEqual(['2026-03-28T01:30', '2026-03-29T01:00', '2026-03-30T00:30']);
  expect(again).toEqual(ids);
  expect(await idsOf('berlin')).toEqual(ids);
});

test('schedules that are not there, or are there already, are errors with codes [149]', async () => {
  const engine = await db.launchEngine();
  const { schedules } = engine;
  const one = schedule('one of its name', '@daily', noop);
  await schedules.create(one);

  await perdureErrorOf(schedules.create(one), 'SCHEDULE_EXISTS');
  await perdureErrorOf(schedules.update(schedule('nobody', '@daily', noop)), 'SCHEDULE_NOT_FOUND');
  await perdureErrorOf(schedules.pause('nobody'), 'SCHEDULE_NOT_FOUND');
  await perdureErrorOf(schedules.resume('nobody'), 'SCHEDULE_NOT_FOUND');
  await perdureErrorOf(schedules.trigger('nobody'), 'SCHEDULE_NOT_FOUND');
  await perdureErrorOf(schedules.backfill('nobody', { from: new Date(0) }), 'SCHEDULE_NOT_FOUND');
  await perdureErrorOf(schedules.get(''), 'NAME_INVALID');
});

test('a backfill of too many ticks, or of no dates, is refused before anything is started [150]', async () => {
  const engine = await db.launchEngine();
  await engine.schedules.create(schedule('too often', '* * * * * *', noop));

  await perdureErrorOf(engine.schedules.backfill('too often', { from: new Date('2020-01-01') }), 'OPTION_INVALID');
  await perdureErrorOf(engine.schedules.backfill('too often', { from: new Date(NaN) }), 'OPTION_INVALID');
  await perdureErrorOf(engine.schedules.backfill('too often', { from: '2020' as never }), 'OPTION_INVALID');
});

test('faults of a declaration show when it is made or launched, and nothing is half-made [149]', async () => {
  const typed = workflow('typed', async (given: unknown) => given, {
    input: { '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [{ message: 'no' }] }) } } as const,
  });
  const twice = [schedule('twice', '@daily', noop), schedule('twice', '@hourly', noop)];

  await perdureErrorOf(() => schedule('', '@daily', noop), 'NAME_INVALID');
  await perdureErrorOf(() => schedule('x', '@daily', noop, { overlap: 'never' as never }), 'OPTION_INVALID');
  await perdureErrorOf(() => schedule('x', '@daily', noop, { catchUp: { max: -1 } }), 'OPTION_INVALID');
  await perdureErrorOf(() => schedule('x', '@daily', noop, { catchUp: 'some' as never }), 'OPTION_INVALID');
  await perdureErrorOf(() => schedule('x', '@daily', (() => undefined) as never), 'OPTION_INVALID');
  await perdureErrorOf(() => schedule('x', '@daily', noop, { input: (() => 1) as never }), 'UNSERIALIZABLE');
  await perdureErrorOf(db.createEngine({ schedules: twice }).launch(), 'CONFIG_INVALID');
  await perdureErrorOf(
    db.createEngine({ schedules: [schedule('unfit', '@daily', typed as never)] }).launch(),
    'INPUT_INVALID',
  );
  await perdureErrorOf(
    db.createEngine({ schedules: [schedule('slow', '@daily', noop, { timeout: 'soon' })] }).launch(),
    'DURATION_INVALID',
  );
  expect(await db.query(`select 1 from perdure.schedules where name in ('twice', 'unfit', 'slow')`)).toEqual([]);
});

test('inputs and options that do not fit do not compile, and where no input is needed none has to be given', () => {
  const typed = workflow('typed tick', async ({ input }: Tick<{ region: string }>) => input.region);
  const other = workflow('no tick', async (order: { sku: string }) => order.sku);
  const mistakes = (): unknown[] => [
    // @ts-expect-error its input is missing
    schedule('x', '@daily', typed),
    // @ts-expect-error its input has another type
    schedule('x', '@daily', typed, { input: { region: 1 } }),
    // @ts-expect-error it takes no tick
    schedule('x', '@daily', other, { input: { sku: 'A' } }),
    // @ts-expect-error there is no such policy
    schedule('x', '@daily', noop, { overlap: 'maybe' }),
    // @ts-expect-error the id is that of the tick
    schedule('x', '@daily', noop, { id: 'mine' }),
    // @ts-expect-error neither pattern nor interval
    schedule('x', 5, noop),
  ];

  const fitting = [schedule('a', '@daily', noop), schedule('b', { every: '1h' }, typed, { input: { region: 'eu' } })];

  expect(mistakes).toBeDefined();
  expect(fitting.map(({ name }) => name)).toEqual(['a', 'b']);
});

// Ticks on a real database: once over the fleet, what happens when runs overlap, and what is made up for after downtime.

import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { schedule, sleep, workflow, type Engine, type Tick } from '../src/index.js';
import { planAdvance } from '../src/services/due-ticks.js';
import type { ScheduleRow } from '../src/store/schedules.js';
import { gate } from './support/gate.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const quick = { pollInterval: '50ms' } as const;
const hourMs = 3_600_000;

// The runs of a schedule, in the order of their ticks.
const runsOf = async (name: string): Promise<{ id: string; status: string }[]> =>
  db.query(`select id, status from perdure.runs where id like 'schedule/' || $1 || '/%' order by id`, [name]);

const tickOf = ({ id }: { id: string }): string => id.slice(id.lastIndexOf('/') + 1);

// As if the schedule had last been looked at so many hours ago.
async function turnBack(name: string, hours: number): Promise<void> {
  const sql = `update perdure.schedules set next_due_at = date_trunc('hour', now()) - $2 * interval '1 hour' where name = $1`;
  await db.query(sql, [name, hours - 1]);
}

async function lastTick(engine: Engine, name: string): Promise<Date> {
  return waitFor(async () => (await engine.schedules.get(name))?.lastDueAt, { what: `a tick of ${name}` });
}

test('with two processes, each second of a cron pattern starts one run [148]', async () => {
  const tock = workflow('tock', async () => undefined);
  const everySecond = schedule('every second', '* * * * * *', tock);
  await db.launchEngine({ workflows: [tock], schedules: [everySecond] });
  const engine = await db.launchEngine({ workflows: [tock], schedules: [everySecond] });

  await waitFor(() => runsOf('every second'), { what: 'five runs', until: (runs) => runs.length >= 5 });
  await engine.schedules.pause('every second');

  const ticks = (await runsOf('every second')).map((run) => Date.parse(tickOf(run)));
  const [first = 0] = ticks;
  expect(ticks).toEqual(ticks.map((_, at) => first + at * 1_000));
});

test('a scheduled run knows its schedule, when it was due and started, and its input [148]', async () => {
  const seen = gate();
  let tick: Tick<{ region: string }> | undefined;
  const report = workflow('report', async (given: Tick<{ region: string }>) => {
    tick = given;
    seen.open();
  });
  await db.launchEngine({
    workflows: [report],
    schedules: [
      schedule('reports', { every: '1s' }, report, { input: { region: 'eu' }, attributes: { kind: 'report' } }),
    ],
  });

  await seen.opened;

  const [run] = await db.query<{ id: string }>(
    `select id from perdure.runs where attributes @> '{"kind": "report"}' order by id`,
  );
  expect(tick).toMatchObject({ schedule: 'reports', input: { region: 'eu' } });
  expect(run?.id).toBe(`schedule/reports/${tick?.scheduledAt.toISOString()}`);
  expect(tick?.startedAt.getTime()).toBeGreaterThanOrEqual(tick?.scheduledAt.getTime() ?? Infinity);
});

test('a tick whose process died before its run was there is started by another [148]', async () => {
  const late = workflow('late', async () => undefined);
  const engine = await db.launchEngine({ workflows: [late], ...quick });
  await engine.schedules.create(schedule('late', '@yearly', late));

  await db.query(`update perdure.schedules set backlog = '{2026-01-01T00:00:00Z}' where name = 'late'`);

  await waitFor(() => runsOf('late'), { what: 'the run', until: (runs) => runs.length === 1 });
  await waitFor(async () => (await engine.schedules.get('late'))?.backlog.length === 0, { what: 'an empty backlog' });
  expect((await runsOf('late')).map(tickOf)).toEqual(['2026-01-01T00:00:00.000Z']);
});

test('with overlap "skip", ticks during an unfinished run are left out and counted [148]', async () => {
  const end = gate();
  const slow = workflow('slow', () => end.opened);
  const engine = await db.launchEngine({
    workflows: [slow],
    schedules: [schedule('skipping', { every: '1s' }, slow, { overlap: 'skip' })],
  });

  await waitFor(async () => ((await engine.schedules.get('skipping'))?.skipped ?? 0) > 0, { what: 'a skipped tick' });

  const { activeIds, backlog } = (await engine.schedules.get('skipping')) ?? {};
  expect(await runsOf('skipping')).toHaveLength(1);
  expect({ active: activeIds?.length, backlog }).toEqual({ active: 1, backlog: [] });
  end.open();
  await waitFor(() => runsOf('skipping'), { what: 'the next run', until: (runs) => runs.length >= 2 });
});

test('with overlap "queue", ticks wait for the run before them and start in order [148]', async () => {
  const gates = [gate(), gate(), gate()];
  const order: string[] = [];
  const slow = workflow('one by one', async ({ scheduledAt }: Tick) => {
    order.push(scheduledAt.toISOString().slice(11, 13));
    await gates[order.length - 1]?.opened;
  });
  const engine = await db.launchEngine({ workflows: [slow] });
  await engine.schedules.create(schedule('queueing', '@hourly', slow, { overlap: 'queue' }));

  await engine.schedules.backfill('queueing', {
    from: new Date('2026-01-01T04:00Z'),
    to: new Date('2026-01-01T07:00Z'),
  });
  await waitFor(() => order.length === 1, { what: 'the first run' });
  await waitFor(async () => (await engine.schedules.get('queueing'))?.backlog.length === 2, { what: 'two that wait' });
  gates[0]?.open();
  await waitFor(() => order.length === 2, { what: 'the second run' });
  gates[1]?.open();
  gates[2]?.open();

  await waitFor(() => order.length === 3, { what: 'the third run' });
  expect(order).toEqual(['04', '05', '06']);
});

test.each([
  ['none', 0],
  ['last', 1],
  [{ max: 3 }, 3],
  ['all', 5],
] as const)('after five missed hours, catchUp %j starts %i runs [151]', async (catchUp, runs) => {
  const name = `catch up ${JSON.stringify(catchUp)}`;
  const catching = workflow('catching', async () => undefined);
  const engine = await db.launchEngine({ workflows: [catching], ...quick });
  await engine.schedules.create(schedule(name, '@hourly', catching, { catchUp }));
  await turnBack(name, 5);

  const last = await lastTick(engine, name);
  await waitFor(() => runsOf(name), { what: `${runs} runs`, until: (found) => found.length >= runs });

  const { nextDueAt } = (await engine.schedules.get(name)) ?? {};
  expect(await runsOf(name)).toHaveLength(runs);
  expect(nextDueAt?.getTime()).toBeGreaterThan(Date.now() - 1_000);
  expect(runs === 0 || tickOf((await runsOf(name)).at(-1) ?? { id: '' }) === last.toISOString()).toBe(true);
});

test('a schedule whose runs sleep for days holds up no shutdown [152]', async () => {
  const patient = workflow('patient', () => sleep('3 days'));
  const engine = await db.launchEngine({
    workflows: [patient],
    schedules: [schedule('patiently', { every: '1s' }, patient, { overlap: 'queue' })],
  });
  await waitFor(() => runsOf('patiently'), { what: 'a run', until: (runs) => runs.length > 0 });

  const began = performance.now();
  await engine.close();

  expect(performance.now() - began).toBeLessThan(2_000);
  expect(await runsOf('patiently')).toMatchObject([{ status: 'waiting' }]);
});

test('a tick whose input does not fit any more is left out, and the next ones come [148]', async () => {
  const told: string[] = [];
  const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined };
  const before = workflow('picky', async ({ input }: Tick<number>) => input);
  const engine = await db.launchEngine({
    workflows: [before],
    ...quick,
    logger: { ...logger, error: (_fields, message) => void told.push(message) },
  });
  await engine.schedules.create(schedule('picky', '@hourly', before, { input: 1 }));
  const refuse = {
    '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [{ message: 'no' }] }) },
  } as const;

  engine.register(workflow('picky', async () => undefined, { input: refuse }));
  await turnBack('picky', 1);

  await waitFor(() => told.length > 0, { what: 'an error in the log' });
  await waitFor(async () => (await engine.schedules.get('picky'))?.backlog.length === 0, { what: 'an empty backlog' });
  expect(told).toEqual(['a tick is left out: its run cannot be started']);
  expect(await runsOf('picky')).toEqual([]);
});

const row: ScheduleRow = {
  name: 'pure',
  workflow: 'pure',
  version: '',
  cron: undefined,
  timeZone: undefined,
  everyMs: 1_000,
  input: '',
  startOptions: '{}',
  overlap: 'allow',
  catchUp: 1,
  declared: undefined,
  revision: 1,
  isPaused: false,
  nextDueAtMs: 100 * hourMs,
  lastDueAtMs: undefined,
  backlogMs: [],
  activeIds: [],
  skipped: 0,
  lastSkippedAtMs: undefined,
  createdAtMs: 0,
  updatedAtMs: 0,
};

test.each([
  ['a tick to come is not', {}, -1, undefined],
  ['a paused schedule is not', { isPaused: true }, 0, undefined],
  ['one without a next tick is not', { nextDueAtMs: undefined }, 0, undefined],
  ['a tick of this moment is', {}, 0, 1],
  ['ticks of the last 15 seconds all are, whatever is made up for', { catchUp: 0 }, 3_500, 4],
  ['of a minute, those of the last 15 seconds are', { catchUp: 0 }, 60_500, 15],
  ['of a minute, more of them are if asked for', { catchUp: 20 }, 60_500, 20],
  ['all of a minute are if asked for', { catchUp: undefined }, 60_500, 61],
  ['of an hour, all are, in portions', { catchUp: undefined }, hourMs, 100],
  [
    'with a backlog that is nearly full, as many are as fit',
    { catchUp: undefined, backlogMs: Array<number>(998).fill(0) },
    hourMs,
    2,
  ],
  [
    'with a full backlog, none is left out',
    { catchUp: undefined, backlogMs: Array<number>(1_000).fill(0) },
    hourMs,
    undefined,
  ],
])('due: %s', (_name, changes, lateMs, ticks) => {
  const advance = planAdvance({ ...row, ...changes }, 100 * hourMs + lateMs);

  expect(advance?.ticksMs.length).toBe(ticks);
});

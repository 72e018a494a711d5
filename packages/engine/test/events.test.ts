// Events: values that runs publish, read from outside and by other runs.

import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { event, getEvent, receive, runStep, setEvent, topic, workflow } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

const progress = event<number>('progress');
const label = event<string>('label');
const go = topic<number>('go');

const publisher = workflow('publisher', async () => {
  await setEvent(label, 'begun');
  const first = (await receive(go)) ?? 0;
  await setEvent(progress, first);
  const second = (await receive(go)) ?? 0;
  await setEvent(progress, second);
});

test('a reader waits for an event that is set later, in any process [93]', async () => {
  const [engine, reader] = [await db.launchEngine({ workflows: [publisher] }), await db.launchEngine()];
  const run = await engine.startWorkflow(publisher);
  const read = reader.getEvent(run.id, progress);

  await engine.send(run.id, go, 7);

  expect(await read).toBe(7);
});

test('a reader gets undefined when the time is up [93]', async () => {
  const engine = await db.launchEngine({ workflows: [publisher] });
  const run = await engine.startWorkflow(publisher);

  expect(await engine.getEvent(run.id, progress, { timeout: 30 })).toBeUndefined();

  await run.cancel();
});

test('an event that is set again has the new value, also after the run has ended [94, 95, 97]', async () => {
  const engine = await db.launchEngine({ workflows: [publisher] });
  const run = await engine.startWorkflow(publisher);

  await engine.send(run.id, go, 1);
  await engine.send(run.id, go, 2);
  await run.result();

  expect(await engine.getEvent(run.id, progress)).toBe(2);
  expect(await engine.getEvent(run.id, label)).toBe('begun');
  const history = await db.query('select value from perdure.event_history where run_id = $1 and key = $2 order by id', [run.id, 'progress']); // prettier-ignore
  expect(history).toEqual([{ value: '1' }, { value: '2' }]);
});

test('a reader of an event that never was set ends with the run [97]', async () => {
  const engine = await db.launchEngine({ workflows: [publisher] });
  const run = await engine.startWorkflow(publisher);
  const read = engine.getEvent(run.id, event('never'));

  await run.cancel();

  expect(await read).toBeUndefined();
});

test('reading the event of an unknown run is an error', async () => {
  const engine = await db.launchEngine();

  await expect(engine.getEvent('nobody', progress)).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
});

test('a run that reads an event sees the recorded value on replay, although it has been overwritten [96]', async () => {
  const reader = workflow('reader', async (of: string) => {
    const seen = await getEvent(of, progress);
    await receive(go);
    return [seen, await getEvent(of, progress)];
  });
  const engine = await db.launchEngine({ workflows: [publisher, reader], parkAfter: 50 });
  const run = await engine.startWorkflow(publisher);
  const reading = await engine.startWorkflow(reader, run.id);
  await engine.send(run.id, go, 1);
  await waitFor(() => engine.runs.steps(reading.id), { what: 'the first value', until: (steps) => steps.length === 1 });
  await engine.send(run.id, go, 2);
  await run.result();

  await waitFor(() => reading.status(), { what: 'the reader to park', until: (status) => status === 'waiting' });
  await engine.send(reading.id, go, 0);

  expect(await reading.result()).toEqual([1, 2]);
});

test('a parked reader wakes when the event is set, or when the run ends without it', async () => {
  const reader = workflow('parked-reader', (of: string) => getEvent(of, progress));
  const engine = await db.launchEngine({ workflows: [publisher, reader], parkAfter: 0 });
  const [run, cancelled] = [await engine.startWorkflow(publisher), await engine.startWorkflow(publisher)];
  const readings = [await engine.startWorkflow(reader, run.id), await engine.startWorkflow(reader, cancelled.id)];
  for (const reading of readings) {
    await waitFor(() => reading.status(), { what: 'the reader to park', until: (status) => status === 'waiting' });
  }

  await engine.send(run.id, go, 5);
  await cancelled.cancel();

  expect(await Promise.all(readings.map((reading) => reading.result()))).toEqual([5, undefined]);
});

test('a step publishes while it executes', async () => {
  const working = workflow('working', () =>
    runStep('work', async () => {
      for (const done of [1, 2, 3]) await setEvent(progress, done);
    }),
  );
  const engine = await db.launchEngine({ workflows: [working] });

  const run = await engine.startWorkflow(working);
  await run.result();

  expect(await engine.getEvent(run.id, progress)).toBe(3);
});

test('an event of an owner that was fenced is not visible [98]', async () => {
  const fenced = workflow('fenced', async () => {
    await runStep('lose the run', () => db.query("update perdure.runs set epoch = epoch + 1 where id = 'fenced-1'"));
    await setEvent(progress, 666);
  });
  const engine = await db.launchEngine({ workflows: [fenced] });

  await engine.startWorkflow(fenced, undefined, { id: 'fenced-1' });
  await waitFor(() => db.query("select epoch from perdure.runs where id = 'fenced-1' and epoch > 2"), {
    what: 'the run to be given back and claimed again',
    until: () => true,
  });

  expect(await db.query("select from perdure.event_history where run_id = 'fenced-1' and seq > 2")).toEqual([]);
});

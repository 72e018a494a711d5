// now(), random(), uuid() and log in workflow code: what a replay sees, and what it keeps quiet about.

import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import {
  currentRun,
  currentStep,
  log,
  now,
  random,
  runStep,
  silentLogger,
  sleep,
  uuid,
  workflow,
} from '../src/index.js';
import type { Logger } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A logger that keeps the lines of workflow code, which have a workflow; the engine's own of a run that failed has its error, too. */
function keepingLogger(): { readonly logger: Logger; readonly lines: Line[] } {
  const lines: Line[] = [];
  const keep =
    (level: string): Logger['info'] =>
    (fields, message) => {
      if ('workflow' in fields && !('err' in fields)) lines.push({ level, message, fields });
    };
  return { logger: { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') }, lines };
}

test('now, random and uuid give the same on every replay, in every process', async () => {
  const seen: unknown[][] = [];
  const valued = workflow('valued', async () => {
    const values: unknown[] = [];
    seen.push(values);
    for (let part = 1; part <= 3; part += 1) {
      values.push(now(), random(), uuid(), random());
      await runStep('between', () => undefined);
      await sleep(150); // parks
    }
  });
  const [first, second] = [
    db.createEngine({ workflows: [valued], parkAfter: 0 }),
    db.createEngine({ workflows: [valued] }),
  ];
  await first.launch();
  const run = await first.startWorkflow(valued);
  await waitFor(() => seen.length > 1, { what: 'a replay' });

  await first.close();
  await second.launch();
  await second.getHandle(run.id).result();

  const all = seen.at(-1) ?? [];
  expect(all).toHaveLength(12);
  expect(seen.map((values) => all.slice(0, values.length))).toEqual(seen);
  expect(new Set(all.filter((value) => !(value instanceof Date))).size).toBe(9);
});

test('parallel branches draw the same values on replay', async () => {
  const seen: string[][] = [];
  const branching = workflow('branching', async () => {
    const drawn: string[] = [];
    seen.push(drawn);
    const branch = async (name: string, ms: number): Promise<void> => {
      await runStep(name, () => new Promise((resolve) => setTimeout(resolve, ms)));
      drawn.push(`${name} ${random()}`);
    };
    await Promise.all([branch('slow', 60), branch('quick', 0), branch('middle', 30)]);
    await sleep(150); // parks
  });
  const engine = await db.launchEngine({ workflows: [branching], parkAfter: 0 });

  await (await engine.startWorkflow(branching)).result();

  expect(seen).toHaveLength(2);
  expect(seen[1]).toEqual(seen[0]);
  expect(seen[0]?.map((text) => text.split(' ')[0])).toEqual(['quick', 'middle', 'slow']);
});

test('runs of one workflow draw different values', async () => {
  const drawing = workflow('drawing', async () => [random(), uuid()]);
  const engine = await db.launchEngine({ workflows: [drawing] });

  const runs = await Promise.all([engine.startWorkflow(drawing), engine.startWorkflow(drawing)]);

  const values = (await Promise.all(runs.map((run) => run.result()))).flat();
  expect(new Set(values).size).toBe(4);
});

test('a uuid has the form of version 4, and a random number is at least 0 and below 1', async () => {
  const drawing = workflow('well-formed', async () => ({ uuid: uuid(), numbers: Array.from({ length: 100 }, random) }));
  const engine = await db.launchEngine({ workflows: [drawing] });

  const values = await (await engine.startWorkflow(drawing)).result();

  expect(values.uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(values.numbers.every((number) => number >= 0 && number < 1)).toBe(true);
});

test('the first now() is the start of the run, and it moves with each recorded result', async () => {
  const timed = workflow('timed', async () => {
    const times = [now(), now()];
    await sleep(100);
    return [...times, now()].map((time) => time.getTime() - currentRun().startedAt.getTime());
  });
  const engine = await db.launchEngine({ workflows: [timed] });

  const [first, again, later] = await (await engine.startWorkflow(timed)).result();

  expect([first, again]).toEqual([0, 0]);
  expect(later).toBeGreaterThanOrEqual(100);
});

test('inside of steps and outside of runs, the values are those of the moment', async () => {
  const plain = workflow('plain-values', () =>
    runStep('look', async () => {
      const before = Date.now();
      const times = [now().getTime(), Date.now()];
      return { isNow: before <= (times[0] ?? 0) && (times[0] ?? 0) <= (times[1] ?? 0), drawn: [random(), uuid()] };
    }),
  );
  const engine = await db.launchEngine({ workflows: [plain] });

  const inside = await (await engine.startWorkflow(plain)).result();

  expect(inside.isNow).toBe(true);
  expect(new Set([...inside.drawn, random(), uuid()]).size).toBe(4);
  expect(Math.abs(now().getTime() - Date.now())).toBeLessThan(1_000);
});

test('currentRun tells the same of a run on every replay, except the epoch and that it is one', async () => {
  const seen: unknown[] = [];
  const told = workflow(
    'told',
    async () => {
      const { epoch, isReplaying: _, ...facts } = currentRun();
      seen.push(facts);
      await runStep('look', () => seen.push({ ...currentRun(), epoch: undefined, isReplaying: undefined }));
      await sleep(150); // parks
      return epoch;
    },
    { version: 'v7', timeout: '1h' },
  );
  const engine = await db.launchEngine({ workflows: [told], parkAfter: 0 });

  const run = await engine.startWorkflow(told, undefined, { attributes: { customer: 7 } });

  expect(await run.result()).toBe(2);
  const found = await engine.runs.get(run.id);
  const { startedAt, deadlineAt } = found ?? {};
  const facts = { id: run.id, workflow: 'told', version: 'v7', startedAt, deadlineAt, attributes: { customer: 7 } };
  expect(seen).toEqual([facts, { ...facts, epoch: undefined }, facts]);
});

test('lines of workflow code come with its run, and those of steps with step and attempt [172]', async () => {
  const { logger, lines } = keepingLogger();
  const logging = workflow('logging', async () => {
    log.info({ order: 7 }, 'begin');
    await runStep('charge', () => log.warn({}, `attempt ${currentStep().attempt}`));
    log.error({ workflow: 'mine' }, 'end');
  });
  const engine = await db.launchEngine({ workflows: [logging], logger });

  const run = await engine.startWorkflow(logging);
  await run.result();

  const place = { runId: run.id, workflow: 'logging' };
  expect(lines).toEqual([
    { level: 'info', message: 'begin', fields: { ...place, order: 7 } },
    { level: 'warn', message: 'attempt 1', fields: { ...place, step: 'charge', attempt: 1 } },
    { level: 'error', message: 'end', fields: { runId: run.id, workflow: 'mine' } },
  ]);
});

test('what was logged before a recorded result is not logged again on replay', async () => {
  const { logger, lines } = keepingLogger();
  const logging = workflow('quiet-replay', async () => {
    log.info({}, 'before the first step');
    await runStep('first', () => log.info({}, 'in the first step'));
    log.info({}, 'before the second step');
    await runStep('second', () => undefined);
    await sleep(150); // parks
    log.info({}, 'awake');
  });
  const engine = await db.launchEngine({ workflows: [logging], logger, parkAfter: 0 });

  await (await engine.startWorkflow(logging)).result();

  expect(lines.map(({ message }) => message)).toEqual([
    'before the first step',
    'in the first step',
    'before the second step',
    'awake',
  ]);
});

test('what was logged right before a wait that parks is not logged again when the run wakes', async () => {
  const { logger, lines } = keepingLogger();
  const logging = workflow('quiet-wake', async () => {
    log.info({}, 'going to sleep');
    await sleep(150); // parks
    log.info({}, 'awake');
  });
  const engine = await db.launchEngine({ workflows: [logging], logger, parkAfter: 0 });

  await (await engine.startWorkflow(logging)).result();

  expect(lines.map(({ message }) => message)).toEqual(['going to sleep', 'awake']);
});

test('a run that is resumed logs from its last recorded result on', async () => {
  const { logger, lines } = keepingLogger();
  const gate = { isOpen: false };
  const logging = workflow('loud-resume', async () => {
    log.info({}, 'first');
    await runStep('between', () => undefined);
    log.info({}, 'second');
    if (!gate.isOpen) throw new Error('not yet');
  });
  const engine = await db.launchEngine({ workflows: [logging], logger });
  const run = await engine.startWorkflow(logging);
  await run.result().catch(() => undefined);
  gate.isOpen = true;

  await engine.runs.resume(run.id);
  await engine.getHandle(run.id).result();

  expect(lines.map(({ message }) => message)).toEqual(['first', 'second', 'second']);
});

test('an engine with a silent logger keeps the lines of its runs to itself', async () => {
  const logging = workflow('silenced', async () => log.error({}, 'unheard'));
  const engine = await db.launchEngine({ workflows: [logging], logger: silentLogger });

  const run = await engine.startWorkflow(logging);

  expect(await run.result()).toBeUndefined();
});

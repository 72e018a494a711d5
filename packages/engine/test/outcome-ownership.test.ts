// A run's outcome is what its row says, not what one of its executions came to: handles adopt it.

import { describe, expect, test } from '@jest/globals';
import { waitFor, waitForBlockedBackend } from '@perdure/testing';
import { contract, runStep, sleep, workflow, type Engine, type RunHandle } from '../src/index.js';
import { gate, type Gate } from './support/gate.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

interface HeldRun {
  readonly engine: Engine;
  readonly run: RunHandle<string>;
  /** Lets the run's step end: the run returns this text, or throws this error. */
  readonly finish: Gate<string | Error>;
  /** Who awaits the run already. */
  readonly result: Promise<unknown>;
}

// A run that executes a step until the test ends it, awaited by its caller.
async function startHeld(id: string): Promise<HeldRun> {
  const [reached, finish] = [gate(), gate<string | Error>()];
  const held = workflow('held', async () => {
    const end = await runStep('hold', async () => {
      reached.open();
      return finish.opened;
    });
    if (end instanceof Error) throw end;
    return end;
  });
  const engine = await db.launchEngine({ workflows: [held], lease: '30s', pollInterval: '50ms' });
  const run = await engine.startWorkflow(held, undefined, { id });
  const result = run.result().catch((error: unknown) => error);
  await reached.opened;
  return { engine, run, finish, result };
}

const otherOwner = '00000000-0000-7000-8000-0000000a11fe';

// What another owner writes when it has taken the run over and finished it.
const recordElsewhere = (id: string, outcome: { status: string; output?: string; error?: string }): Promise<unknown> =>
  db.query(
    `update perdure.runs
     set executor = $2, epoch = epoch + 2, status = $3, output = $4, error = $5, finished_at = now()
     where id = $1`,
    [id, otherOwner, outcome.status, outcome.output, outcome.error],
  );

const recordedError = '{"~":"error","name":"RangeError","message":"too far","stack":"RangeError: too far"}';

describe('whoever awaits a run that another owner has taken', () => {
  test('gets the success that the other recorded, though the run failed here [23]', async () => {
    const { run, finish, result } = await startHeld('their-success');
    await recordElsewhere(run.id, { status: 'succeeded', output: '"theirs"' });

    finish.open(new Error('mine'));

    expect(await result).toBe('theirs');
    expect(await run.result()).toBe('theirs');
  });

  test('gets the error that the other recorded, though the run succeeded here [24]', async () => {
    const { run, finish, result } = await startHeld('their-error');
    await recordElsewhere(run.id, { status: 'failed', error: recordedError });

    finish.open('mine');

    expect(await result).toBeInstanceOf(RangeError);
    expect(await result).toHaveProperty('message', 'too far');
  });

  test('gets the outcome when there is one, if the other has not finished yet [25]', async () => {
    const { run, engine, finish, result } = await startHeld('not-yet');
    const settled: unknown[] = [];
    void result.then((value) => settled.push(value));
    await db.query(`update perdure.runs set executor = $2, epoch = epoch + 2 where id = $1`, [run.id, otherOwner]);

    finish.open('mine');
    const lookedUp = `select from perdure.runs where id = $1 and is_watched`;
    await waitFor(() => db.query(lookedUp, [run.id]), { what: 'a look', until: (rows) => rows.length === 1 });
    expect(settled).toEqual([]);
    await recordElsewhere(run.id, { status: 'succeeded', output: '"theirs"' });

    expect(await result).toBe('theirs');
    expect(await engine.runs.steps(run.id)).toEqual([]);
  });

  test('gets RUN_CRASH_LIMIT, if the run was stopped for crashing its owners [26]', async () => {
    const { run, finish, result } = await startHeld('crashed');
    const error = '{"~":"error","type":"PerdureError","name":"PerdureError","message":"RUN_CRASH_LIMIT: run \\"crashed\\" lost its process 3 times, so it was stopped. Find what ends the process (memory, a native crash), then engine.runs.resume.","stack":"","properties":{"code":"RUN_CRASH_LIMIT"}}'; // prettier-ignore
    await recordElsewhere(run.id, { status: 'failed', error });

    finish.open('mine');

    await perdureErrorOf(
      result.then((thrown) => Promise.reject(thrown as Error)),
      'RUN_CRASH_LIMIT',
    );
  });
});

describe('whoever awaits a run that was deleted', () => {
  test('gets RUN_NOT_FOUND when the execution here comes to its end [27]', async () => {
    const { run, finish, result } = await startHeld('deleted-here');
    await db.query('delete from perdure.runs where id = $1', [run.id]);

    finish.open('mine');

    const error = await perdureErrorOf(
      result.then((thrown) => Promise.reject(thrown as Error)),
      'RUN_NOT_FOUND',
    );
    expect(error.details).toEqual({ id: 'deleted-here' });
    expect(await db.query('select from perdure.runs where id = $1', [run.id])).toEqual([]);
  });

  test('gets RUN_NOT_FOUND within the poll interval, if it is executed nowhere [27]', async () => {
    const engine = await db.launchEngine({ pollInterval: '50ms' });
    const run = await engine.startWorkflow(contract('nowhere'), undefined, { id: 'deleted-elsewhere' });
    const result = perdureErrorOf(run.result(), 'RUN_NOT_FOUND');
    const lookedUp = `select from perdure.runs where id = $1 and is_watched`;
    await waitFor(() => db.query(lookedUp, [run.id]), { what: 'a look', until: (rows) => rows.length === 1 });

    await db.query('delete from perdure.runs where id = $1', [run.id]);

    expect((await result).details).toEqual({ id: 'deleted-elsewhere' });
    await perdureErrorOf(run.status(), 'RUN_NOT_FOUND');
  });

  test('gets RUN_NOT_FOUND at once for an id that never was [27]', async () => {
    const engine = await db.launchEngine();

    await perdureErrorOf(engine.getHandle('never-was').result(), 'RUN_NOT_FOUND');

    expect(await engine.runs.get('never-was')).toBeUndefined();
  });
});

describe('cancelling', () => {
  test('a run whose success is recorded changes nothing [28]', async () => {
    const { engine, run, finish } = await startHeld('succeeded-first');
    finish.open('done');
    await run.result();

    const wasCancelled = await engine.runs.cancel(run.id);

    expect(wasCancelled).toBe(false);
    expect(await run.status()).toBe('succeeded');
    expect(await engine.getHandle(run.id).result()).toBe('done');
  });

  test('loses against a success that commits first, and the caller gets the success [28]', async () => {
    const { engine, run, result } = await startHeld('racing-success');
    const other = await db.connect();
    await other.query('begin');
    await other.query(
      `update perdure.runs set status = 'succeeded', output = '"first"', finished_at = now() where id = $1`,
      [run.id],
    );

    const cancelling = engine.runs.cancel(run.id);
    await waitForBlockedBackend(await db.connect(), { statement: 'cancelled as' });
    await other.query('commit');

    expect(await cancelling).toBe(false);
    expect(await run.status()).toBe('succeeded');
    await engine.close({ timeout: 0 });
    await result;
    expect(await (await db.launchEngine()).getHandle(run.id).result()).toBe('first');
  });

  test('wins against a success that comes later, and the caller gets RUN_CANCELLED [28]', async () => {
    const { engine, run, finish, result } = await startHeld('cancelled-first');

    const wasCancelled = await engine.runs.cancel(run.id);
    finish.open('too late');

    expect(wasCancelled).toBe(true);
    await perdureErrorOf(
      result.then((thrown) => Promise.reject(thrown as Error)),
      'RUN_CANCELLED',
    );
    expect(await engine.runs.get(run.id)).toMatchObject({ status: 'cancelled', output: undefined });
  });
});

test('whoever holds the handle of a failed run that is resumed gets the outcome that it comes to then', async () => {
  const attempts: string[] = [];
  const flaky = workflow('flaky', async () => {
    if (attempts.push('tried') === 1) throw new Error('not yet');
    return 'at last';
  });
  const engine = await db.launchEngine({ workflows: [flaky] });
  const run = await engine.startWorkflow(flaky);
  await expect(run.result()).rejects.toThrow('not yet');

  await engine.runs.resume(run.id);

  expect(await run.result()).toBe('at last');
});

describe('of a process that executes one run at a time', () => {
  test('a sleeping run takes no place: the next one starts at once [29]', async () => {
    const sleeping = workflow('sleeping', async () => sleep('1 day'));
    const quick = workflow('quick', async (n: number) => runStep('run', () => n));
    const engine = await db.launchEngine({
      workflows: [sleeping, quick],
      maxConcurrentRuns: 1,
      pollInterval: '1 minute',
    });

    await engine.startWorkflow(sleeping, undefined, { id: 'asleep' });
    const runs = await Promise.all([1, 2, 3].map((n) => engine.startWorkflow(quick, n)));

    expect(await Promise.all(runs.map((run) => run.result()))).toEqual([1, 2, 3]);
    expect(await engine.runs.get('asleep')).toMatchObject({ status: 'waiting', executor: undefined });
  });

  test('a run that waits for another leaves its place to that one [29]', async () => {
    const awaited = workflow('awaited', async () => runStep('run', () => 'done'));
    const engine = await db.launchEngine({
      workflows: [awaited],
      maxConcurrentRuns: 1,
      parkAfter: 0,
      pollInterval: '50ms',
    });
    const waiting = workflow('waiting', async (id: string) => engine.getHandle<string>(id).result());
    engine.register(waiting);
    await engine.startWorkflow(awaited, undefined, { id: 'the other', delay: '500ms' });

    const first = await engine.startWorkflow(waiting, 'the other', { id: 'the one' });

    expect(await first.result()).toBe('done');
  });

  test('a run that was lost takes no place either [25, 29]', async () => {
    const { engine, run, finish } = await startHeld('lost-place');
    await recordElsewhere(run.id, { status: 'succeeded', output: '"theirs"' });
    finish.open('mine');
    await run.result();

    const close = engine.close({ timeout: '20s' });

    await expect(close).resolves.toBeUndefined();
  });
});
